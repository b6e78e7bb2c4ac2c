"""The line echo server that a newcomer writes."""

from tests.examples.support import ROOT, ExampleCase, code_of, lines_of_code


def read_all(client):
    data = bytearray()
    while block := client.recv(65536):
        data += block
    return bytes(data)


class EchoTests(ExampleCase):
    def test_it_is_short_and_stands_in_the_guide(self):
        self.assertIn(code_of("echo.py"), (ROOT / "docs/network.md").read_text())
        self.assertLessEqual(lines_of_code("echo.py"), 15)

    def test_200_clients_50_silent_ones_and_a_stop(self):
        program = self.start("echo.py")
        clients = [self.connect() for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(b"client %d\n" % number)
        for number, client in enumerate(clients):
            self.assertEqual(b"client %d\n" % number, client.recv(100))
        one_more = self.connect()
        one_more.sendall(b"let me in\n")
        silent, busy = clients[:50], clients[50:]
        told = 0
        silent[0].settimeout(0.2)
        while not told:
            for client in busy:
                client.sendall(b"still here\n")
            for client in busy:
                self.assertEqual(b"still here\n", client.recv(100))
            try:
                told = silent[0].recv(1, 2)  # MSG_PEEK
            except TimeoutError:
                continue
        for client in silent:
            client.settimeout(20)
            self.assertEqual(b"your time is up\nbye\n", read_all(client))
        self.assertEqual(b"let me in\n", one_more.recv(100), "its turn came when others had gone")
        seconds, output = self.stop(program)
        self.assertLess(seconds, 1, output)
        for client in [*busy, one_more]:
            self.assertEqual(b"bye\n", read_all(client), "its finally has not run")
        self.assertIn("left open: []", output)
