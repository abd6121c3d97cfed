"""The public keys that heads and exported records are, or were, signed with, at a well-known address (RFC 8615)."""

from typing import Any

from litestar import Response

from newsletter.chain import signing
from newsletter.web import WebRequest, installation_of, reading


@reading("/.well-known/newsletter-keys.json")
async def well_known_keys(request: WebRequest) -> Response[Any]:
    """Give the keys as a JSON Web Key Set (RFC 7517, RFC 8037): the current one first, the old ones kept."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        keys = await signing.public_keys(session, installation)
    content = {"keys": [signing.jwk(public) for public in keys.values()]}
    headers = {"cache-control": "public, max-age=3600"}
    return Response(content, media_type="application/jwk-set+json", headers=headers)


handlers = [well_known_keys]
