"""An identity provider under the tests' control: speaks OpenID Connect, well or falsely.

It asks nobody for a password. `claims` and `userinfo` are what it says; `fault` names the one
thing that is wrong with its tokens.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

FAULTS = (
    "wrong key",
    "wrong audience",
    "no algorithm",
    "expired",
    "wrong nonce",
    "wrong issuer",
    "key confusion",
    "no subject",
    "payload changed",
    "token endpoint down",
    "garbage",
)


class OtherProvider:
    """Answers at https://NAME.localhost:port; `with OtherProvider(…) as provider:`."""

    def __init__(self, folder: Path, port: int, name: str = "other", path: str = "") -> None:
        self.issuer = f"https://{name}.localhost:{port}{path}"
        self.claims: dict[str, Any] = {"sub": "someone"}
        self.userinfo: dict[str, Any] | None = None
        self.fault = ""
        self.asked: list[str] = []
        self.path = path
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._other_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._nonces: dict[str, str] = {}
        self._challenges: dict[str, str] = {}
        provider = self

        class Handler(_Handler):
            owner = provider

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "site.pem", folder / "site.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> OtherProvider:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def metadata(self) -> dict[str, Any]:
        at = self.issuer
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "userinfo_endpoint": f"{at}/userinfo",
            "jwks_uri": f"{at}/keys",
            "registration_endpoint": f"{at}/register",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def keys(self) -> dict[str, Any]:
        key = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**key, "kid": "k1", "use": "sig", "alg": "RS256"}]}

    def authorize(self, query: dict[str, str]) -> str:
        code = f"code-{len(self.asked)}"
        self._nonces[code] = query.get("nonce", "")
        self._challenges[code] = query.get("code_challenge", "")
        answer = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        said = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        assert said == self._challenges[form["code"]]
        return {
            "access_token": "the-access-token",
            "token_type": "Bearer",
            "expires_in": 36000,
            "id_token": self._id_token(self._nonces[form["code"]]),
        }

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        payload = {
            "iss": self.issuer,
            "aud": "nightpress",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
        }
        key: Any = self._key
        algorithm = "RS256"
        match self.fault:
            case "wrong key":
                key = self._other_key
            case "wrong audience":
                payload["aud"] = "another-site"
            case "no algorithm":
                key, algorithm = None, "none"
            case "expired":
                payload["iat"], payload["exp"] = now - 7200, now - 3600
            case "wrong nonce":
                payload["nonce"] = "another"
            case "wrong issuer":
                payload["iss"] = "https://signin.localhost"
            case "no subject":
                payload.pop("sub", None)
            case "garbage":
                return "not.a.token"
        if self.fault == "key confusion":
            return _signed_with_public_key(payload, self._key.public_key())
        token = jwt.encode(payload, key, algorithm=algorithm, headers={"kid": "k1"})
        if self.fault == "payload changed":
            head, body, signature = token.split(".")
            changed = {**payload, "sub": "somebody-else", "groups": ["staff"]}
            body = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
            token = f"{head}.{body}.{signature}"
        return token


def _signed_with_public_key(payload: dict[str, Any], key: rsa.RSAPublicKey) -> str:
    """HS256 with the public key as the secret: what a careless verifier takes for RS256."""
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    secret = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = part(json.dumps({"alg": "HS256", "kid": "k1", "typ": "JWT"}).encode())
    signed = head + b"." + part(json.dumps(payload).encode())
    mac = hmac.new(secret, signed, "sha256").digest()
    return (signed + b"." + part(mac)).decode()


class _Handler(BaseHTTPRequestHandler):
    owner: OtherProvider
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        provider = self.owner
        parts = urlsplit(self.path)
        path = parts.path.removeprefix(provider.path)
        provider.asked.append(path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if path == "/authorize":
            self.send_response(302)
            self.send_header("Location", provider.authorize(query))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/.well-known/openid-configuration":
            self._send(provider.metadata())
        elif path == "/keys":
            self._send(provider.keys())
        elif path == "/userinfo" and provider.userinfo is not None:
            self._send({"sub": provider.claims.get("sub", ""), **provider.userinfo})
        else:
            self._send({"error": "not found"}, 404)

    def do_POST(self) -> None:
        provider = self.owner
        path = urlsplit(self.path).path.removeprefix(provider.path)
        provider.asked.append(path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        if path == "/token" and provider.fault != "token endpoint down":
            form = {name: values[-1] for name, values in parse_qs(body).items()}
            self._send(provider.token(form))
        elif path == "/register":
            self._send({"client_id": "nightpress", "client_secret": "secret"}, 201)
        else:
            self._send({"error": "server_error"}, 500)

    def _send(self, value: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""
