"""The baseline: one plain python-socketio server, as its documentation teaches to write it."""
