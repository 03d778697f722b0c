"""Peer: a Singer tap for the inbox, on the Meltano SDK. Its settings: ``{"api_url": ".."}``."""

# The SDK is not installed where mypy looks.
# mypy: ignore-errors

from __future__ import annotations

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th

ANY = th.ObjectType(additional_properties=True)


class Messages(RESTStream):
    name = "messages"
    path = "/api/messages"
    primary_keys = ("id",)
    replication_key = "date_updated"
    records_jsonpath = "$.data[*]"
    next_page_token_jsonpath = "$.next_page_token"  # a path, no secret
    schema = th.PropertiesList(
        th.Property("id", th.StringType),
        th.Property("thread_id", th.StringType),
        th.Property("date_created", th.DateTimeType),
        th.Property("date_updated", th.DateTimeType),
        th.Property("body", th.StringType),
        th.Property("from", ANY),
        th.Property("to", th.ArrayType(ANY)),
        th.Property("attachments", th.ArrayType(ANY)),
        th.Property("visible_for_operator", th.BooleanType),
        th.Property("type", th.StringType),
    ).to_dict()

    @property
    def url_base(self) -> str:
        return self.config["api_url"]

    def get_url_params(self, context: object, next_page_token: object) -> dict[str, object]:
        asked = {"limit": 100}
        if since := self.get_starting_replication_key_value(context):
            asked["updated_since"] = since
        if next_page_token:
            asked["page_token"] = next_page_token
        return asked


class TapInbox(Tap):
    name = "tap-inbox"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True)
    ).to_dict()

    def discover_streams(self) -> list[RESTStream]:
        return [Messages(self)]


if __name__ == "__main__":
    TapInbox.cli()
