// SPDX-License-Identifier: Apache-2.0
// Short questions to programs of other houses: nothing is followed, nothing goes on for ever.

import Diagnostics
import FileTransfer
import Foundation
import RelaisTesting
import Testing

@Suite struct WebCallTests {
    /// A program that repeats what it is told, leads elsewhere, says too much, or never ends.
    private static let program = """
        import http.server, sys, time
        class Answers(http.server.BaseHTTPRequestHandler):
            def say(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items(): self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_POST(self):
                self.say(200, self.rfile.read(int(self.headers["Content-Length"])))
            def do_GET(self):
                if self.path == "/away": return self.say(302, Location="/secret")
                if self.path == "/much": return self.say(200, b"x" * 300_000)
                if self.path == "/bad": return self.say(400, b"why")
                if self.path == "/slow":
                    self.send_response(200)
                    self.end_headers()
                    while True:
                        self.wfile.write(b"x")
                        time.sleep(0.5)
                self.say(200, (self.path + " " + self.headers.get("Authorization", "")).encode())
            def log_message(self, *rest): pass
        http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
        """

    private func peer() async throws -> Peer {
        try await Peer("/usr/bin/python3") { port, _ in ["-c", Self.program, String(port)] }
    }

    private func failure(_ url: String) async -> Diagnostic? {
        do throws(TransferError) {
            _ = try await WebCall.get(url)
            return nil
        } catch {
            return error.diagnostic
        }
    }

    @Test func `what is asked and shown arrives as it is meant`() async throws {
        let peer = try await peer()
        let base = "http://127.0.0.1:\(peer.port)"
        let told = try await WebCall.get(base + "/a%2Fb?c=%20", headers: ["Authorization: Bearer t"])
        #expect(String(decoding: told, as: UTF8.self) == "/a%2Fb?c=%20 Bearer t")
        let posted = try await WebCall.post([("a b", "é&=+"), ("c", "")], to: base + "/")
        #expect(String(decoding: posted, as: UTF8.self) == "a%20b=%C3%A9%26%3D%2B&c=")
    }

    @Test func `no redirect is followed, and no more is read and waited for than is due`() async throws {
        let peer = try await peer()
        let base = "http://127.0.0.1:\(peer.port)"
        #expect(await failure(base + "/away")?.facts["detail"] == "302")
        #expect(await failure(base + "/bad")?.facts["detail"] == "400")
        #expect(await failure(base + "/much")?.code == "TRANSFER-TOO-LARGE")
        let began = ContinuousClock.now
        #expect(await failure(base + "/slow")?.code == "TRANSFER-SILENT")
        #expect(began.duration(to: .now) < .seconds(60), "the bytes that come do not prolong it")
        #expect(await failure("sftp://127.0.0.1/a")?.code == "TRANSFER-ADDRESS")
    }
}
