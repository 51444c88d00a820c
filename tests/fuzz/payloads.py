"""Requests to the ingest doors with something wrong in them: right bodies of every format, damaged
by a seeded chance. The same seed gives the same payloads."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import zstandard

from services.ingest.doors.examples import NGSI_LD, NGSI_V2, SENSORTHINGS

READING = {"sensor_id": "gauge-1", "metric": "water.level", "value": 3.2,
           "observed_at": "2026-05-01T08:00:00+08:00"}  # fmt: skip
EVENT = {"specversion": "1.0", "id": "1", "source": "/a", "type": "reading", "data": READING}
WORDS: tuple[bytes, ...] = (
    b"null", b"true", b"-0", b"1e999", b"-1e400", b"NaN", b"Infinity", b"9" * 400, b'"\\ud800"',
    b'"\xff\xfe"', b"\x00", b'"\\u0000"', b"{}", b"[]", b"[[[[", b'"' + b"x" * 3_000 + b'"', b",",
    b'{"sensor_id":', b"\xef\xbb\xbf", b"\xed\xa0\x80", b"'; DROP TABLE ingest.readings; --", b"..",
    b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:60Z"', b"2e-324", b"1" + b"0" * 310,
    b"[" * 5_000, b'{"a":' * 2_000, b"\r\n\r\n", b"%00", "💧".encode(), b"0x1f", b"1_000", b'""',
)  # fmt: skip
VALUES: tuple[bytes, ...] = (
    b"null", b"true", b"-0", b"1e308", b"1e999", b"[]", b"{}", b'""', b'"\\u0000"', b"[[1]]",
    b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:59-23:59"', b'"2026-02-30T00:00:00Z"',
    b'"NaN"', b"123456789012345678901234567890", b'"gauge-1"', b'{"a":[{"b":null}]}', b'"\\ud800"',
    b'"' + b"x" * 300 + b'"', "\"水\"".encode(), b"-1", b"4.9e-324", b'"water.level"', b"[null]",
)  # fmt: skip
TYPES: tuple[bytes, ...] = (
    b"application/json", b"application/x-ndjson", b"application/cloudevents+json",
    b"application/cloudevents-batch+json", b"text/plain", b"", b"application/json; charset=latin-1",
    b"multipart/form-data; boundary=x", b"application/xml", b";;;", b"\xff\xfe", b"a/b" * 200,
    b"application/ld+json", b"application/json; charset=utf-8",
)  # fmt: skip
CODINGS: tuple[bytes, ...] = (b"gzip", b"zstd", b"identity", b"br", b"gzip, gzip", b"\xff", b"")
HEADERS: tuple[bytes, ...] = (
    b"Idempotency-Key: \xff\xff", b"Idempotency-Key: " + b"k" * 5_000, b"Idempotency-Key: a",
    b"ce-specversion: 1.0", b"ce-specversion: 9", b"ce-id: %ff%fe", b"ce-time: never",
    b"traceparent: 00-zz", b"X-Forwarded-For: ::1, unknown", b"X-Forwarded-Proto: gopher",
    b"Accept: */*;q=nan", b"Authorization: Bearer \xff", b"Cookie: yiwang_session=\xff\x01;;=",
    b"Fiware-Service: \xff", b"Link: <x>; rel=;", b"Expect: nothing",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """A route, and a right body with its type."""

    path: bytes
    kind: bytes
    body: bytes


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


DOORS: tuple[Door, ...] = (
    Door(b"/v1/readings", b"application/json", _json(READING)),
    Door(b"/v1/readings", b"application/json", _json([READING] * 3)),
    Door(b"/v1/readings", b"application/json; charset=utf-8", _json([READING] * 2)),
    Door(b"/v1/readings", b"application/x-ndjson", (_json(READING) + b"\n") * 3),
    Door(b"/v1/readings", b"application/cloudevents+json", _json(EVENT)),
    Door(b"/v1/readings", b"application/cloudevents-batch+json", _json([EVENT] * 2)),
    Door(b"/v1/doors/ngsi-ld", b"application/json", _json(NGSI_LD["normalised"]["value"])),
    Door(b"/v1/doors/ngsi-v2", b"application/json", _json(NGSI_V2["keyValues"]["value"])),
    Door(b"/v1/doors/sensorthings", b"application/json",
         _json(SENSORTHINGS["observation"]["value"])),
    Door(b"/v1/doors/sensorthings/CreateObservations", b"application/json",
         _json(SENSORTHINGS["data array"]["value"])),
    Door(b"/v1/doors/sensorthings/Datastreams(gauge-1)/Observations", b"application/json",
         _json({"result": 1})),
)  # fmt: skip


def damage(chance: random.Random, body: bytes) -> bytes:
    """One of many things done to a body."""
    damaged = bytearray(body)
    for _ in range(chance.randrange(1, 3)):
        at = chance.randrange(len(damaged) + 1)
        end = min(len(damaged), at + chance.randrange(1, 30))
        match chance.randrange(12):
            case 0:
                del damaged[at:]
            case 1:
                del damaged[at:end]
            case 2:
                damaged[at:end] = chance.randbytes(end - at)
            case 3:
                damaged[at:at] = damaged[at:end] * chance.randrange(1, 5)
            case 4:
                damaged[at:end] = chance.choice(WORDS)
            case _:
                _replace_value(chance, damaged)
    return bytes(damaged)


def _replace_value(chance: random.Random, damaged: bytearray) -> None:
    """What follows a colon becomes something else: the body often stays JSON."""
    colons = [at for at, byte in enumerate(damaged) if byte == 0x3A]
    if not colons:
        return
    at = chance.choice(colons) + 1
    ends = [end for end in (damaged.find(b",", at), damaged.find(b"}", at)) if end >= 0]
    damaged[at : min(ends, default=len(damaged))] = chance.choice(VALUES)


def packed(chance: random.Random, body: bytes) -> tuple[bytes, bytes]:
    """(coding, body): packed, badly packed, or a bomb."""
    coding = chance.choice(CODINGS)
    if coding == b"gzip":
        data = gzip.compress(body, 1)
    elif coding == b"zstd":
        data = zstandard.compress(body)
    else:
        return coding, body
    if chance.random() < 0.5:
        data = damage(chance, data)
    return coding, data


@dataclass(frozen=True, slots=True)
class Request:
    """`whole`: rightly framed, so that it must be answered; else the server may just hang up."""

    data: bytes
    whole: bool = True


def requests(chance: random.Random, key: bytes) -> Iterator[Request]:
    """Without end."""
    while True:
        door = chance.choice(DOORS)
        body, kind, more = damage(chance, door.body), door.kind, b""
        dice = chance.random()
        if dice < 0.15:
            kind = chance.choice(TYPES)
        elif dice < 0.25:
            coding, body = packed(chance, body)
            more = b"Content-Encoding: " + coding + b"\r\n"
        elif dice < 0.35:
            more = chance.choice(HEADERS) + b"\r\n"
        elif dice < 0.37:
            yield Request(_unframed(chance, door, key), whole=False)
            continue
        elif dice < 0.38:
            body = chance.choice(WORDS) * chance.randrange(1, 50)
        head = _head(door.path, key, kind) + more
        yield Request(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))


def _head(path: bytes, key: bytes, kind: bytes) -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: city\r\nAuthorization: Bearer %b\r\nContent-Type: %b\r\n" % (
        path,
        key,
        kind,
    )


def _unframed(chance: random.Random, door: Door, key: bytes) -> bytes:
    """Where the request ends is not to be told, or not as it says."""
    head, body = _head(door.path, key, door.kind), door.body
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: head + b"Content-Length: -1\r\n\r\n" + body,
        lambda: head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + body,
        lambda: head + b"Content-Length: 99999999999999999999\r\n\r\n" + body,
        lambda: head + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + body,
        lambda: head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body + b"\r\n0\r\n\r\n",
        lambda: head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + body,
        lambda: head + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        lambda: damage(chance, head + b"Content-Length: %d\r\n\r\n" % len(body)) + body,
        lambda: chance.randbytes(200),
        lambda: head + b"Content-Length: %d\r\n\r\n" % len(body),
    )
    return chance.choice(ways)()
