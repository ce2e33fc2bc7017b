"""mailhub runs a resource centre from its mailboxes. Start reading at the README's floor plan."""
