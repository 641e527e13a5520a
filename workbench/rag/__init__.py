"""A reference RAG pipeline: documents → chunks → index → passages → an answer from them, each choice a line of YAML."""
