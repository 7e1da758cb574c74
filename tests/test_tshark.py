"""A second reader of the evidence: tshark opens our captures without a key file, and sees what our traces say."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import files_below

THEMES = ["orderly", "truncation", "reset", "coalesced", "alerts", "key-update"]
RUNS_OF_THEME = 8                               # evenly spread over what the theme has
ROLES, VERSIONS = ["client", "server"], ["1.2", "1.3"]

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="there is no tshark")

# What tshark numbers and our traces name: RFC 8446 4 and 6, RFC 5246 7.4 and 7.2.
HANDSHAKES = {
    "0": "handshake hello_request", "1": "handshake client_hello", "2": "handshake server_hello", "4": "ticket",
    "5": "handshake end_of_early_data", "8": "handshake encrypted_extensions", "11": "handshake certificate", "12": "handshake server_key_exchange",
    "13": "handshake certificate_request", "14": "handshake server_hello_done", "15": "handshake certificate_verify",
    "16": "handshake client_key_exchange", "20": "handshake finished", "24": "key_update",
}
ALERTS = {
    "0": "close_notify", "10": "unexpected_message", "20": "bad_record_mac", "22": "record_overflow", "40": "handshake_failure",
    "42": "bad_certificate", "43": "unsupported_certificate", "44": "certificate_revoked", "45": "certificate_expired",
    "46": "certificate_unknown", "47": "illegal_parameter", "48": "unknown_ca", "49": "access_denied", "50": "decode_error",
    "51": "decrypt_error", "70": "protocol_version", "71": "insufficient_security", "80": "internal_error", "86": "inappropriate_fallback",
    "90": "user_canceled", "100": "no_renegotiation", "109": "missing_extension", "110": "unsupported_extension",
    "112": "unrecognized_name", "116": "certificate_required", "117": "general_error", "120": "no_application_protocol",
}
LEVELS = {"1": "warning", "2": "fatal"}
# What protection adds to a record: an explicit nonce and a tag (RFC 5288 3), a tag alone (RFC 7905 2), the inner type and a tag.
OVERHEAD = {"0xc02b": 24, "0xc02c": 24, "0xc02f": 24, "0xc030": 24, "0xcca8": 16, "0xcca9": 16, "0x1301": 17, "0x1302": 17, "0x1303": 17}
# What only our own decoder tells apart, or a dissector need not open.
OURS_ALONE = {"unopened", "partial", "raw", "malformed", "keys"}


# ---- Our trace ----

def lines_of(path):
    """(end, words) of every `wire` line."""
    with open(path) as f:
        for line in f:
            if line.startswith("wire "):
                end, words = line[5:].strip().split(" -> ", 1)
                yield end, words.split()


def items_of(words):
    """["data", "5", "alert", "decode_error"] -> ["data 5", "alert decode_error"]"""
    items = []
    for w in words:
        joins = items and (items[-1] in ("data", "alert", "handshake") or items[-1].split()[-1] == "level" or w in ("level", "requested"))
        if joins:
            items[-1] += " " + w
        else:
            items.append(w)
    return items


def add(items, item):
    """Data in a row are one item; so are resets: the kernel repeats them when more comes in."""
    if items and item.startswith("data ") and items[-1].startswith("data "):
        items[-1] = "data %d" % (int(items[-1][5:]) + int(item[5:]))
    elif not (item == "rst" and items and items[-1] == "rst"):
        items.append(item)


def trace_items(path):
    told = {"iut": [], "peer": []}
    for end, words in lines_of(path):
        for item in items_of(words):
            add(told[end], item)
    return told


# ---- tshark ----

def pdml(path):
    """Every packet as an element. No key file, and no preferences of the user's."""
    ran = subprocess.run(["tshark", "-n", "-r", path, "-T", "pdml"], capture_output=True, timeout=60,
                         env=dict(os.environ, HOME="/nonexistent", XDG_CONFIG_HOME="/nonexistent", LC_ALL="C"))
    assert ran.returncode == 0, ran.stderr.decode()
    return ElementTree.fromstring(ran.stdout).findall("packet")


def show(packet, name):
    field = packet.find(".//field[@name='%s']" % name)
    return None if field is None else field.get("show")


def alert_item(level, code):
    name, usual = ALERTS.get(code, code), "1" if code == "0" else "2"
    return (name if code == "0" else "alert " + name) + ("" if level == usual else " level " + LEVELS.get(level, level))


def packet_records(packet, suite):
    """The records that this packet completes, each as items."""
    records, length, level = [], 0, None
    for proto in packet.findall("proto[@name='tls']"):
        for field in proto.iter("field"):
            name, value = field.get("name"), field.get("show")
            if name == "tls.record.length":
                length = int(value)
            elif name == "tls.record.content_type" and value == "20":
                records.append("change_cipher_spec")
            elif name == "tls.record.content_type" and value not in ("21", "22", "23"):
                records.append("type " + value)
            elif name == "tls.app_data":
                records.append("data %d" % (length - OVERHEAD[suite[0]]))
            elif name == "tls.handshake.ciphersuite" and records[-1:] == ["handshake server_hello"]:
                suite[:] = [value]
            elif name == "tls.handshake.type":
                records.append(HANDSHAKES.get(value, "handshake " + value))
            elif name == "tls.handshake.key_update.request_update" and value == "1":
                records[-1] += " requested"
            elif name == "tls.alert_message.level":
                level = value
            elif name == "tls.alert_message.desc":
                records.append(alert_item(level, value))
            elif name == "tls.alert_message":
                records += ["alert undecoded"] if field.get("showname", "").endswith("Encrypted Alert") else []
    return records


def capture_items(packets, role):
    """What each end sent, in order; and the packets that sent it without a comment."""
    first = show(packets[0], "tcp.srcport")     # of the SYN: the client
    told, suite, bare = {"iut": [], "peer": []}, [None], []
    for p in packets:
        before = sum(map(len, told.values()))
        end = told["iut" if (show(p, "tcp.srcport") == first) == (role == "client") else "peer"]
        for item in packet_records(p, suite):
            add(end, item)
        if show(p, "tcp.flags.fin") in ("1", "True"):
            add(end, "fin")
        if show(p, "tcp.flags.reset") in ("1", "True"):
            add(end, "rst")
        if sum(map(len, told.values())) > before and not (show(p, "frame.comment") or "").startswith("case line "):
            bare.append(show(p, "frame.number"))
    return told, bare


# ---- The tests ----

@pytest.fixture(scope="module")
def evidence(tool, tmp_path_factory):
    """The captures of all themes: path without its ending -> None."""
    out = tmp_path_factory.mktemp("tshark")
    ran = tool("run", "openssl", *[w for t in THEMES for w in ("-c", t + "/*")], "--io", "blocking", "-j2", "-o", str(out), "--keep", "all")
    assert ran.status in (0, 1), ran
    files = files_below(out)
    return {theme: [str(out / f[:-7]) for f in files if f.endswith(".pcapng") and "/%s/" % theme in f] for theme in THEMES}


def spread(stems):
    """Some of them: of every role and version alike, and of as many cases as there is room for."""
    chosen = []
    for role in ROLES:
        for version in VERSIONS:
            fit = [s for s in stems if "/%s-%s-" % (role, version) in s and not ours_alone(s)]
            step = max(1, len(fit) * 4 // RUNS_OF_THEME)
            chosen += fit[::step][:RUNS_OF_THEME // 4]
    return chosen


def ours_alone(stem):
    return any(OURS_ALONE & set(words) for _, words in lines_of(stem + ".trace"))


def compare(stem):
    """None, or the difference."""
    packets = pdml(stem + ".pcapng")
    role = os.path.basename(stem).split("-")[0]
    seen, bare = capture_items(packets, role)
    told = trace_items(stem + ".trace")
    if seen != told:
        return "%s\n  trace  %s\n  tshark %s" % (stem, told, seen)
    if bare:
        return "%s: packets without a comment: %s" % (stem, bare)
    if len({show(p, "tcp.stream") for p in packets}) != 1:
        return stem + ": more than one connection"
    return None


@pytest.mark.parametrize("theme", THEMES)
def test_tshark_agrees(evidence, theme):
    stems = spread(evidence[theme])
    have = {tuple(os.path.basename(s).split("-")[:2]) for s in stems}
    assert have >= {(r, v) for r in ROLES for v in VERSIONS if theme != "key-update" or v == "1.3"}
    with ThreadPoolExecutor(2) as pool:
        differences = [d for d in pool.map(compare, stems) if d]
    assert not differences, "\n".join(differences)


def test_both_ends_are_told(evidence):
    """The comparison above is no comparison of nothing with nothing."""
    told = [item for stems in evidence.values() for s in spread(stems) for items in trace_items(s + ".trace").values() for item in items]
    for word in "close_notify", "fin", "rst", "data", "key_update", "alert", "handshake", "ticket", "change_cipher_spec":
        assert any(item.split()[0] == word for item in told), word


def test_decrypted_text(evidence):
    """The secrets are in the file: tshark follows the stream in clear."""
    for version in VERSIONS:
        stem = next(s for s in evidence["truncation"] if "/client-%s-" % version in s and any("data" in w for _, w in lines_of(s + ".trace")))
        sent = sum(int(i[5:]) for items in trace_items(stem + ".trace").values() for i in items if i.startswith("data "))
        ran = subprocess.run(["tshark", "-n", "-q", "-r", stem + ".pcapng", "-z", "follow,tls,raw,0"], capture_output=True, text=True,
                             timeout=60, env=dict(os.environ, HOME="/nonexistent"))
        text = bytes.fromhex("".join(ran.stdout.split("Node 1:")[1].splitlines()[1:-1]))
        assert len(text) == sent > 0
        assert text.isascii() and text.decode().isprintable()


@pytest.mark.parametrize("role", ROLES)
def test_early_data(tool, tmp_path, role):
    """Early data is opened by the secrets in the file, in the second connection of its case; what follows too."""
    ran = tool("run", "openssl", "-c", "handshake-phase/end-of-early-data", "--io", "blocking", "--role", role, "-o", str(tmp_path), "--keep", "all")
    assert ran.status == 0, ran
    path = next(str(tmp_path / f) for f in files_below(tmp_path) if f.endswith(".pcapng"))
    ran = subprocess.run(["tshark", "-n", "-r", path, "-Y", "tcp.stream == 1 && data", "-T", "fields", "-e", "data.data"], capture_output=True,
                         text=True, timeout=60, env=dict(os.environ, HOME="/nonexistent"))
    assert bytes.fromhex("".join(ran.stdout.replace(",", "").split())) == b"requestmorerest"


def test_capture_says_what_it_is(evidence):
    """The comment of the section names implementation, case and variant; the file holds secrets and nanoseconds."""
    stem = evidence["orderly"][0]
    with open(stem + ".pcapng", "rb") as f:
        head = f.read(4096)
    assert head[:4] == b"\x0a\x0d\x0d\x0a"
    case = "orderly/" + stem.split("/")[-2]
    variant = os.path.basename(stem).replace("-", " ")
    assert ("closedrill: openssl, %s, %s" % (case, variant)).encode() in head
    assert b"SERVER_HANDSHAKE_TRAFFIC_SECRET" in head or b"CLIENT_RANDOM" in head
