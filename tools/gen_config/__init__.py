"""Makes mlc-chat-config.json of a Hugging Face checkpoint's config and tokenizer files."""
