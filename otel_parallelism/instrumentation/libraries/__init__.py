"""Objects of libraries that several frameworks use: answers of models, MCP, LangChain messages."""
