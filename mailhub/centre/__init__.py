"""The domain: nouns (tables), questions (queries) and verbs (transitions). It knows nothing of mail's journey."""
