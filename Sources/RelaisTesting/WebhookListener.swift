// SPDX-License-Identifier: Apache-2.0
// A program that listens to webhooks and keeps what it is told.

internal import Foundation

/// A listener; it refuses for good what holds `REFUSE`.
package struct WebhookListener: Sendable {
    /// What it was told.
    package struct Message: Decodable, Sendable {
        /// The body as it came.
        package let body: String
        /// `X-Relais-Signature`, empty when there was none.
        package let signature: String
        /// `Idempotency-Key`.
        package let key: String
    }

    private let peer: Peer

    /// Starts it.
    package init() async throws {
        let program = """
            import http.server, json, os, sys
            folder = sys.argv[2]
            class Listener(http.server.BaseHTTPRequestHandler):
                count = 0
                def do_POST(self):
                    body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                    status = int(open(folder + "/down").read()) if os.path.exists(folder + "/down") else 422 if "REFUSE" in body else 204
                    if status == 204:
                        Listener.count += 1
                        with open(folder + "/got.part", "w") as f:
                            json.dump({"body": body, "signature": self.headers["X-Relais-Signature"] or "",
                                       "key": self.headers["Idempotency-Key"]}, f)
                        os.rename(folder + "/got.part", folder + "/got" + str(Listener.count))
                    self.send_response(status)
                    self.end_headers()
                def log_message(self, *a): pass
            http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Listener).serve_forever()
            """
        peer = try await Peer("/usr/bin/python3") { port, folder in
            ["-c", program, String(port), folder.path]
        }
    }

    /// Where it listens.
    package var address: String { "http://127.0.0.1:\(peer.port)/x" }

    /// What it took, in order.
    package func messages() throws -> [Message] {
        var messages: [Message] = []
        while let data = try? Data(
            contentsOf: peer.folder.appending(path: "got\(messages.count + 1)"))
        {
            messages.append(try JSONDecoder().decode(Message.self, from: data))
        }
        return messages
    }

    /// Lets it answer everything with a status; nil ends that.
    package func answer(_ status: Int?) throws {
        let file = peer.folder.appending(path: "down")
        guard let status else { return try FileManager.default.removeItem(at: file) }
        try Data("\(status)".utf8).write(to: file)
    }
}
