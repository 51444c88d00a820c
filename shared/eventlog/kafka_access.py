"""How clients of Kafka connect: in the clear, over TLS, or over TLS and with a password."""

import ssl
from typing import Any

from shared.errors import Misconfigured
from shared.settings import Settings


def access_of(settings: Settings) -> dict[str, Any]:
    """How a client of aiokafka connects, as its own options. Raises `Misconfigured`."""
    if settings.kafka_security == "plaintext":
        return {}
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
        if settings.kafka_cert_file is not None:
            context.load_cert_chain(settings.kafka_cert_file, settings.kafka_cert_key_file)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"YIWANG_KAFKA_…_FILE: {error}") from error
    if settings.kafka_security == "tls":
        return {"security_protocol": "SSL", "ssl_context": context}
    if not settings.kafka_username:
        raise Misconfigured("YIWANG_KAFKA_USERNAME is not set, but YIWANG_KAFKA_SECURITY=sasl_tls")
    return {
        "security_protocol": "SASL_SSL",
        "ssl_context": context,
        "sasl_mechanism": settings.kafka_mechanism,
        "sasl_plain_username": settings.kafka_username,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }
