"""What a part assumes by itself, and what the settings say: one and the same."""

from datetime import timedelta

from pydantic import ValidationError

from mailhub.centre.calendar import Calendar
from mailhub.centre.profile import MACHINE_SERVICES, Courtesy, Service
from mailhub.centre.requests import Promise
from mailhub.config.sections import (
    AddressesSection,
    CentreSection,
    CourtesySection,
    PromiseSection,
    ReceiveSection,
    RelaySection,
)
from mailhub.outbox import Retries
from mailhub.receive.limits import MEBIBYTE, Limits


def test_what_a_part_assumes_is_what_the_settings_say():
    promise, receive, relay = PromiseSection(), ReceiveSection(), RelaySection()

    assert Courtesy() == Courtesy(**CourtesySection().model_dump())
    assert Promise() == Promise(
        promise.first_contact, promise.quick_fact, promise.document_search, promise.topic_dossier
    )
    assert Calendar() == Calendar(
        CentreSection().time_zone, promise.cut_off, promise.country, promise.subdivision, promise.closures
    )
    assert Retries() == Retries(relay.retry_minutes, timedelta(days=relay.give_up_days))
    assert Limits() == Limits(
        message_bytes=receive.message_mib * MEBIBYTE,
        visits=receive.connections,
        visits_per_source=receive.connections_per_source,
        messages_per_minute=receive.messages_per_minute,
        unlimited_sources=frozenset(receive.unlimited_sources),
    )


def test_every_service_has_an_address_and_those_for_machines_leave_room_for_a_token():
    def takes(service: Service, octets: int) -> bool:
        try:
            return bool(AddressesSection(**{service.value: "a" * octets}))
        except ValidationError:
            return False

    assert list(AddressesSection.model_fields) == [service.value for service in Service]
    assert {service for service in Service if not takes(service, 19)} == MACHINE_SERVICES
    assert all(takes(service, 18) for service in Service)
