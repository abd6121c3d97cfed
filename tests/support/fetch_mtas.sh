#!/usr/bin/env bash
# Fetches Debian's Exim and OpenSMTPD for the tests, unpacked and not installed: as packages they would throw out Postfix.
# They land in ~/.cache/newsletter-tests; what is there already is left as it is.
set -euo pipefail
folder=${XDG_CACHE_HOME:-$HOME/.cache}/newsletter-tests

fetch() {
    local package=$1 target=$folder/$1 simulated needed
    if [[ -d $target ]]; then return; fi
    # What an installation would bring: the package, and the libraries that this machine lacks.
    simulated=$(apt-get install --simulate --no-install-recommends "$package")
    mapfile -t needed < <(awk '$1 == "Inst" { print $2 }' <<<"$simulated")
    if ((${#needed[@]} == 0)); then return; fi
    echo "Fetching $package"
    rm -rf "$target.new"
    mkdir -p "$target.new/packages"
    (cd "$target.new/packages" && apt-get download -qq -o APT::Sandbox::User=root "${needed[@]}")
    for archive in "$target.new/packages"/*.deb; do dpkg-deb --extract "$archive" "$target.new"; done
    rm -r "$target.new/packages"
    mv "$target.new" "$target"
}

fetch exim4-daemon-light
fetch opensmtpd
