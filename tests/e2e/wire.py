"""A wire between a browser and the product that can fall silent without being cut."""

import socket
import threading


class Wire:
    """Listens on a port of its own; `freeze`: nothing passes any more, nothing is closed."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = threading.Event()
        self._open.set()
        self._ends: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """Half-open from now on."""
        self._open.clear()

    def thaw(self) -> None:
        """New connections pass; those of before are dead, as behind a router that has forgotten
        them."""
        for end in self._ends:
            end.close()
        self._ends = []
        self._open.set()

    def close(self) -> None:
        """For good."""
        self._listener.close()
        self.thaw()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                self._open.wait()
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return
