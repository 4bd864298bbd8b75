"""The MCP server, through which a coding agent asks about spans and source files."""
