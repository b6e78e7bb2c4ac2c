"""Certificates to try TLS with."""

import subprocess

__all__ = ["certificate_files"]


def certificate_files(folder: str, kind: str = "ec:prime256v1") -> tuple[str, str]:
    """A certificate for localhost that signs itself, and its key; `kind` like rsa:2048."""
    certificate, key = f"{folder}/cert.pem", f"{folder}/key.pem"
    algorithm, _, what = kind.partition(":")
    option = "rsa_keygen_bits" if algorithm == "rsa" else "ec_paramgen_curve"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", algorithm, "-pkeyopt", f"{option}:{what}",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key
