"""The command `dkim new`."""

import json

import click

from newsletter.commands import JSON


def add_to(group: click.Group) -> None:
    """Add the command to the command line."""

    @group.group()
    def dkim() -> None:
        """The keys that mail is signed with."""

    @dkim.command("new")
    @click.option(
        "--selector", default="s1", show_default=True, help="The key's name in the DNS; a new one for each key."
    )
    @click.option("--domain", default="", help="The domain that signs; that of the settings by default.")
    @click.option("--ed25519", is_flag=True, help="Make the key of a second signature, beside the RSA one.")
    @JSON
    def dkim_new(selector: str, domain: str, ed25519: bool, as_json: bool) -> None:
        """Make a key and print it with the DNS record that publishes it. It is kept nowhere: put it into a file.

        Example: newsletter dkim new --domain example.com --selector s2
        """
        from newsletter.mail import commanded

        made = commanded.new_key(domain, selector, ed25519=ed25519)
        if as_json:
            record = {"name": made.name, "type": "TXT", "value": made.value}
            click.echo(json.dumps({"selector": selector, "private_key": made.pem, "record": record}))
            return
        setting = "NEWSLETTER_DKIM_ED25519_KEY_FILE" if ed25519 else "NEWSLETTER_DKIM_KEY_FILE"
        click.echo(f"Publish this in the DNS:\n\n{made.line}\n")
        where = f"Put this into a file that only the service can read, and name it in {setting}"
        click.echo(f"{where}:\n\n{made.pem}", nl=False)
