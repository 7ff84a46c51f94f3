"""C2PA records that c2pa-python itself signed; skipped where it is not installed."""

from __future__ import annotations

import datetime
import http.server
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from napari_diffusion.forensics import FileRecord

c2pa = pytest.importorskip("c2pa")
x509 = pytest.importorskip("cryptography.x509")

KINDS = {"jpg": ("JPEG", "image/jpeg"), "png": ("PNG", "image/png"), "tif": ("TIFF", "image/tiff")}

IMAGE = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)


@pytest.fixture
def server():
    """Return the address of a server on this machine, and the list of what is fetched from it."""
    asked = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            """Keep the output of the tests short."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}/record.c2pa", asked
        made.shutdown()


@pytest.fixture(scope="module")
def signer():
    """Return a signer whose certificate nobody knows."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = certificate("Signer", key, root, False) + certificate("Root", root, root, True)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=secret, ta_url=None)


def certificate(name, key, root, authority):
    from cryptography.hazmat.primitives import hashes, serialization

    begins = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment",
                           "key_agreement", "encipher_only", "decipher_only"), False)  # fmt: skip
    usage |= {"digital_signature": not authority, "key_cert_sign": authority, "crl_sign": authority}
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    made = x509.CertificateBuilder(
        subject_name=named(name), issuer_name=named("Root"), public_key=key.public_key(),
        serial_number=1000 + authority, not_valid_before=begins,
        not_valid_after=begins + datetime.timedelta(days=100),
    )  # fmt: skip
    made = made.add_extension(x509.BasicConstraints(authority, None), critical=True)
    made = made.add_extension(x509.KeyUsage(**usage), critical=True)
    made = made.add_extension(identifier, critical=False).add_extension(by, critical=False)
    if not authority:
        email = x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION
        made = made.add_extension(x509.ExtendedKeyUsage([email]), critical=False)
    return made.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def named(name):
    oid = x509.oid.NameOID
    parts = {oid.COUNTRY_NAME: "DE", oid.ORGANIZATION_NAME: "Some Maker", oid.COMMON_NAME: name}
    return x509.Name([x509.NameAttribute(*each) for each in parts.items()])


def signed(path, signer, remote=None):
    """Write an image with a record of one action."""
    action = {"action": "c2pa.created", "digitalSourceType": "http://x/digitalCapture"}
    builder = c2pa.Builder(json.dumps({
        "claim_generator_info": [{"name": "Camera", "version": "3"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }))  # fmt: skip
    if remote:
        builder.set_no_embed()
        builder.set_remote_url(remote)
    name, kind = KINDS[path.suffix[1:]]
    plain, made = io.BytesIO(), io.BytesIO()
    Image.fromarray(IMAGE).save(plain, name)
    builder.sign(c2pa.Signer.from_info(signer), kind, plain, made)
    path.write_bytes(made.getvalue())


def read(path):
    return FileRecord()(IMAGE, axes="yxc", rgb=True, file=path)


@pytest.mark.parametrize("ending", KINDS)
def test_a_signer_whom_nobody_knows_is_said_to_be_one(tmp_path, signer, ending):
    path = tmp_path / f"a.{ending}"
    signed(path, signer)
    reading = read(path)
    said = next(each for each in reading.remarks if "C2PA" in each)
    assert said.startswith("It has a C2PA record signed by Some Maker: its signature agrees")
    assert "anyone can make such a certificate" in said
    found = dict(reading.facts)
    assert found["C2PA: state"] == "Valid: signing certificate untrusted"
    assert found["C2PA: made with"] == "Camera 3"
    assert found["C2PA: action"] == "c2pa.created (digitalCapture)"


def test_a_file_that_was_changed_after_it_was_signed_does_not_agree(tmp_path, signer):
    path = tmp_path / "a.jpg"
    signed(path, signer)
    held = bytearray(path.read_bytes())
    held[-40] ^= 16
    path.write_bytes(held)
    reading = read(path)
    assert any("it does not agree with the file" in each for each in reading.remarks)
    assert dict(reading.facts)["C2PA: state"].startswith("Invalid: ")


def test_a_record_that_is_kept_elsewhere_is_not_fetched(tmp_path, signer, server):
    address, asked = server
    path = tmp_path / "a.jpg"
    signed(path, signer, remote=address)
    said = next(each for each in read(path).remarks if "C2PA" in each)
    assert said.startswith("Its C2PA record is kept elsewhere, and is not fetched: ")
    assert address in said
    assert not asked


def test_a_file_without_a_record_has_none(tmp_path):
    Image.fromarray(IMAGE).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png").remarks == ("Nothing that this method can see.",)
