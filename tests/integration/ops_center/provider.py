"""A small OpenID Connect provider, as a process of its own: `python -m … PORT`.

It lets everybody in, checks what a provider has to check (client, redirect, PKCE, codes once), and
signs with a key of its own. `POST /say` decides what its next ID tokens say, or what is wrong.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "city", "client-secret"
PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 0
ISSUER = f"http://127.0.0.1:{PORT}"
keys = [ECKey.generate_key("P-256", {"kid": "one"})]
stranger = ECKey.generate_key("P-256", {"kid": "one"})
codes: dict[str, dict[str, str]] = {}
said: dict[str, Any] = {}


async def configuration(request: Request) -> Response:
    return JSONResponse(
        {
            "issuer": said.get("issuer", ISSUER),
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
    )


async def jwks(request: Request) -> Response:
    return JSONResponse({"keys": [key.as_dict(private=False) for key in keys]})


async def authorize(request: Request) -> Response:
    query = dict(request.query_params)
    assert (query["client_id"], query["code_challenge_method"]) == (CLIENT, "S256")
    code = uuid4().hex
    codes[code] = query
    return RedirectResponse(
        f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}", 303
    )


async def token(request: Request) -> Response:
    form = dict(parse_qsl((await request.body()).decode()))
    login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    asked = codes.pop(form["code"], None)
    challenge = _base64(hashlib.sha256(form["code_verifier"].encode()).digest())
    right = (
        asked is not None
        and request.headers["authorization"] == f"Basic {login}"
        and asked["redirect_uri"] == form["redirect_uri"]
        and asked["code_challenge"] == challenge
    )
    if asked is None or not right:
        return JSONResponse({"error": "invalid_grant"}, 400)
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": CLIENT, "sub": "s-1", "iat": now, "exp": now + 300,
        "nonce": asked["nonce"], "preferred_username": "zhao", "name": "赵敏", "groups": ["ops"],
    }  # fmt: skip
    claims |= said.get("claims", {})
    if "expired" in said:
        claims |= {"iat": now - 7200, "exp": now - 3600}
    claims = {name: value for name, value in claims.items() if value is not None}
    return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": sign(claims)})


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def sign(claims: dict[str, Any]) -> str:
    match said.get("signature"):
        case "stranger":
            return jwt.encode({"alg": "ES256", "kid": "one"}, claims, stranger)
        case "shared":  # signed with what everybody knows: the public key as a secret
            content = f"{_part({'alg': 'HS256'})}.{_part(claims)}"
            digest = hmac.digest(keys[0].as_pem(private=False), content.encode(), "sha256")
            return f"{content}.{_base64(digest)}"
        case "none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        case "rotated":
            keys.insert(0, ECKey.generate_key("P-256", {"kid": uuid4().hex}))
            del said["signature"]
    return jwt.encode({"alg": "ES256", "kid": str(keys[0].kid)}, claims, keys[0])


async def say(request: Request) -> Response:
    said.clear()
    said.update(await request.json())
    return JSONResponse({})


app = Starlette(
    routes=[
        Route("/.well-known/openid-configuration", configuration),
        Route("/keys", jwks),
        Route("/authorize", authorize),
        Route("/token", token, methods=["POST"]),
        Route("/say", say, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
