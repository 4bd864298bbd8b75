"""Objects of libraries that several frameworks build on: model answers, MCP, LangChain messages."""
