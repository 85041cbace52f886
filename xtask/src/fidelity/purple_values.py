"""Asks the vendor's MCP server, tool by tool, and compares what it says with the console's REST API.

Its own suite mostly looks at the form of answers; this looks at the values. Prints one line a comparison and ends
with 1 if any differs.
"""

import asyncio
import json
import os
import sys

import httpx
from fastmcp import Client
from purple_mcp.server import app

BASE = os.environ["PURPLEMCP_CONSOLE_BASE_URL"] + "/web/api/v2.1"
HEADERS = {"Authorization": "ApiToken " + os.environ["PURPLEMCP_CONSOLE_TOKEN"]}
failures = 0


def same(what: str, told: object, true: object) -> None:
    global failures
    if told == true:
        print(f"ok    {what}")
    else:
        failures += 1
        print(f"WRONG {what}: told {told!r}, true {true!r}")


def rest(path: str) -> dict:
    reply = httpx.get(BASE + path, headers=HEADERS)
    reply.raise_for_status()
    return reply.json()


async def tool(client: Client, name: str, **arguments: object) -> object:
    result = await client.call_tool(name, arguments)
    text = result.content[0].text if result.content else ""
    try:
        return json.loads(text)
    except ValueError:
        return text


def by_id(rows: list[dict]) -> dict[str, dict]:
    return {row["id"]: row for row in rows}


async def every_alert(client: Client) -> dict[str, dict]:
    alerts, after = {}, None
    while True:
        page = await tool(client, "list_alerts", first=100, after=after)
        for edge in page["edges"]:
            if edge["node"]["external_id"] in alerts:
                same("no alert comes twice", edge["node"]["external_id"], None)
            alerts[edge["node"]["external_id"]] = edge["node"]
        after = page["page_info"]["end_cursor"]
        if not page["page_info"]["has_next_page"]:
            return alerts


async def main() -> int:
    async with Client(app) as client:
        critical = json.dumps([{"fieldId": "severity", "filterType": "string_equals", "value": "CRITICAL"}])
        # Attacks go on while we look: what is compared was asked for between two equal lists.
        for _ in range(20):
            threats = by_id(rest("/threats?limit=1000")["data"])
            alerts = await every_alert(client)
            found = await tool(client, "search_alerts", filters=critical, first=100)
            answer = str(await tool(client, "purple_ai", query="What happened?"))
            if threats == by_id(rest("/threats?limit=1000")["data"]):
                break
        same("threats are there to be compared", len(threats) > 2, True)
        of_threats = {id: alert for id, alert in alerts.items() if id in threats}
        same("every threat is an alert", len(of_threats), len(threats))
        status = {"unresolved": "NEW", "in_progress": "IN_PROGRESS", "resolved": "RESOLVED"}
        for member, pick in {
            "name": lambda threat: threat["threatName"],
            "status": lambda threat: status[threat["incidentStatus"]],
            "confidence_level": lambda threat: threat["confidenceLevel"].upper(),
            "detected_at": lambda threat: threat["createdAt"],
            "storyline_id": lambda threat: threat["storyline"],
        }.items():
            told = {id: alert[member] for id, alert in of_threats.items()}
            same(f"alerts' {member}", told, {id: pick(threat["threatInfo"]) for id, threat in threats.items()})
        told = {id: alert["asset"]["name"] for id, alert in of_threats.items()}
        true = {id: threat["agentRealtimeInfo"]["agentComputerName"] for id, threat in threats.items()}
        same("alerts' endpoints", told, true)
        same("critical alerts", found["total_count"], sum(alert["severity"] == "CRITICAL" for alert in alerts.values()))

        agents = {agent["uuid"]: agent for agent in rest("/agents?limit=1000")["data"]}
        inventory = await tool(client, "list_inventory_items", limit=1000, surface="ENDPOINT")
        told = sorted(item["name"] for item in inventory["data"])
        same("the inventory's endpoints", told, sorted(agent["computerName"] for agent in agents.values()))
        vulnerabilities = await tool(client, "list_vulnerabilities", first=100)
        same("vulnerabilities are there to be compared", len(vulnerabilities["edges"]) > 5, True)
        strangers = {edge["node"]["asset"]["external_id"] for edge in vulnerabilities["edges"]} - set(agents)
        same("vulnerable endpoints that are not enrolled", strangers, set())
        detecting = {agent["computerName"] for agent in agents.values() if agent["mitigationMode"] == "detect"}
        rule = json.dumps([{"fieldId": "name", "filterType": "fulltext", "values": ["detects but does not protect"]}])
        found = await tool(client, "search_misconfigurations", filters=rule, first=100)
        same("endpoints that only detect", {edge["node"]["asset"]["name"] for edge in found["edges"]}, detecting)

        same("the assistant's count of endpoints", f"{len(agents)} endpoints are enrolled" in answer, True)
        same("the assistant's count of alerts", f"{len(threats)} alerts are known" in answer, True)
    return 1 if failures else 0


sys.exit(asyncio.run(main()))
