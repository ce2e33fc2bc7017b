"""Stage 7: outbox to relay. The only room that sends."""
