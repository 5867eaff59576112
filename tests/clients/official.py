"""Drives an MCP server with the official Python client: official.py ERA CALLS COMMAND [ARGUMENT...]

COMMAND may also be the address of a server; the variable DOOR_TOKEN has its token then. ERA is `legacy` (initialize) or a revision
without a handshake. CALLS is a JSON list of [tool, arguments] or [tool, arguments,
answer]: what the user says who is asked meanwhile, as [action, content]. Prints one JSON object: the revision in use, the names of
the tools, and each call's result with what the user was asked.
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.types import ElicitResult


def transport(command, arguments):
    if command.startswith("http://"):
        headers = {"Authorization": f"Bearer {os.environ['DOOR_TOKEN']}"}
        return streamable_http_client(command, http_client=create_mcp_http_client(headers))
    return stdio_client(StdioServerParameters(command=command, args=arguments, env=dict(os.environ)))


async def main(era, calls, command, arguments):
    asked, answers = [], []

    async def ask(context, params):
        asked.append(params.message)
        action, content = answers[0]
        return ElicitResult(action=action, content=content)

    async with Client(transport(command, arguments), mode=era, elicitation_callback=ask) as client:
        tools = await client.list_tools()
        results = []
        for tool, values, *answers[:] in calls:
            asked.clear()
            result = await client.call_tool(tool, values)
            results.append({"error": result.is_error, "result": result.structured_content, "asked": list(asked)})
        print(json.dumps({"revision": client.protocol_version, "tools": [tool.name for tool in tools.tools], "results": results}))


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], sys.argv[4:]))
