"""Tokens as RFC 7515 and 7519 write them, right and wrong, made without the server's code."""
import base64
import hashlib
import hmac
import json
import time

KEY = "a-key-for-tests-only-0123456789abcdef"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims, key=KEY, header=None, digest=hashlib.sha256):
    header = header if header is not None else {"alg": "HS256", "typ": "JWT"}
    signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
    return f"{signed}.{encode(hmac.new(key.encode(), signed.encode(), digest).digest())}"


def claims(seconds=3600, channels=("*",), subject="tester", **more):
    return {"sub": subject, "exp": int(time.time()) + seconds, "channels": list(channels), **more}
