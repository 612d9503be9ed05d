// SPDX-License-Identifier: Apache-2.0
// Those who send too much, too slowly or nonsense, and the others who want to work meanwhile.

import Foundation
import PostgreSQL
import RelaisTesting
import Testing

@Suite(.serialized) struct SiegeTests {
    private static let password = "quatre mots bien choisis"

    /// A daemon under siege.
    private struct Castle {
        let daemon: Daemon
        let data: String
        let port: Int

        /// A request on a connection of its own.
        func ask(
            _ method: String, _ path: String, _ fields: [String] = [], _ body: String = "",
            from source: UInt32 = 1
        ) async throws -> RawConnection.Answer {
            let connection = try RawConnection(port: port, from: source)
            let length = method == "GET" ? [] : ["Content-Length: \(body.utf8.count)"]
            try await connection.send(head(method, path, fields + length + ["Connection: close"]) + body)
            return try await connection.answer()
        }

        func head(_ method: String, _ path: String, _ fields: [String]) -> String {
            ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)"].map { $0 + "\r\n" }.joined()
                + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        }

        /// The cookie of a new session, as a header field, and the token of its forms.
        func signIn(_ login: String) async throws -> (cookie: String, form: String) {
            let form = "login=\(login)&password=\(SiegeTests.password.replacing(" ", with: "+"))"
            let answer = try await ask("POST", "/sign-in", [SiegeTests.urlEncoded], form)
            let value = try #require(answer.head.firstMatch(of: /relais_session=([^;]+)/)).output.1
            let cookie = "Cookie: relais_session=\(value)"
            let page = try await ask("GET", "/me", [cookie])
            let token = try #require(page.text.firstMatch(of: /name="form" value="([^"]+)"/)).output.1
            return (cookie, String(token))
        }

        /// Bytes of memory that the daemon has used at most so far.
        func peak() throws -> Int {
            let path = "/proc/\(daemon.process.processIdentifier)/status"
            let status = try String(contentsOfFile: path, encoding: .utf8)
            return 1024 * (try #require(status.firstMatch(of: /VmHWM:\s*(\d+)/).flatMap { Int($0.output.1) }))
        }

        /// Files in the spool, begun ones too.
        var spool: [String] {
            (try? FileManager.default.contentsOfDirectory(atPath: data + "/spool")) ?? []
        }

        func sql(_ text: String) async throws {
            let result = try await RelaisCommand.run(["db", "psql", "--data", data, "--", "-c", text])
            try #require(result.status == 0, "\(result.errors)")
        }
    }

    private static let urlEncoded = "Content-Type: application/x-www-form-urlencoded"
    private static let bearer = "Authorization: Bearer jeton"
    private static let depot = "/api/flows/depot/files?name=a.csv"
    private static let french = ["Accept-Language: fr", "Accept: text/html"]

    /// A daemon with `ines`, who may all, and a flow `depot` that takes files from whoever shows `jeton`.
    private func withCastle(
        _ environment: [String: String] = [:], prepare: (String) throws -> Void = { _ in },
        _ body: (Castle) async throws -> Void
    ) async throws {
        try await withDataFolder { data, folder in
            let (token, flow) = (folder.appending(path: "token"), folder.appending(path: "flow.yaml"))
            try Data("jeton".utf8).write(to: token)
            let text = "flow: depot\nconnector: upload\nsecrets: {token: depot}\nmapping: accounts-csv\n"
            try Data(text.utf8).write(to: flow)
            for command in [
                ["secrets", "set", "depot", "--file", token.path], ["flows", "apply", flow.path],
                ["users", "add", "ines", "--role", "it", "--admin", "--sees-clients", "--password-stdin"],
            ] {
                let result = try await RelaisCommand.run(
                    command + ["--data", data], input: command[0] == "users" ? Self.password : "")
                try #require(result.status == 0, "\(result.errors)")
            }
            try prepare(data)
            let daemon = try Daemon(data, folder, environment: environment)
            do {
                let port = try #require(
                    try await daemon.address().split(separator: ":").last.flatMap { Int($0) })
                try await body(Castle(daemon: daemon, data: data, port: port))
            } catch {
                _ = try await daemon.stop()
                throw error
            }
            #expect(try await daemon.stop() == 0)
        }
    }

    /// The beginning of a form with a file.
    private func form(_ token: String, name: String = "a.csv") -> String {
        "--x\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n\(token)\r\n"
            + "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n\r\n"
    }

    private static let multipart = "Content-Type: multipart/form-data; boundary=x"

    // MARK: - Too much

    @Test func `a file that says it is too large is refused before a byte of it is read`() async throws {
        try await withCastle { castle in
            let ines = try await castle.signIn("ines")
            for (path, fields) in [
                ("/imports", [ines.cookie, Self.multipart]), (Self.depot, [Self.bearer]),
            ] {
                let connection = try RawConnection(port: castle.port)
                let all = fields + Self.french + ["Content-Length: 10200000000"]
                try await connection.send(castle.head("POST", path, all))
                let answer = try await connection.answer()
                #expect(answer.status == 413, "\(path): \(answer.head)")
                let sentence = "10,2\u{a0}Go\u{a0}: la limite est de 2,0\u{a0}Go."
                #expect(answer.text.contains(sentence), "\(path): \(answer.text)")
                #expect(answer.text.contains("Déposez ce fichier par SFTP."))
                #expect(answer.head.contains("connection: close"))
                // A sender that never looks up is cut off soon.
                let zeros = [UInt8](repeating: 48, count: 1 << 16)
                var sent = 0
                try await until {
                    guard let more = connection.offer(zeros) else { return true }
                    sent += more
                    return false
                }
                #expect(sent < 100 << 20, "\(path)")
            }
            #expect(castle.spool.isEmpty)
        }
    }

    @Test func `a file without a length is read to the limit and no further, in little memory`() async throws
    {
        try await withCastle(["RELAIS_UPLOAD_LIMIT": "100"]) { castle in
            let ines = try await castle.signIn("ines")
            let chunked = ["Transfer-Encoding: chunked"]
            let piece = Array("40000\r\n".utf8) + [UInt8](repeating: 48, count: 0x40000) + Array("\r\n".utf8)
            let begin = form(ines.form)
            let page = [ines.cookie, Self.multipart]
            for (path, fields, start) in [
                (Self.depot, [Self.bearer], ""), ("/imports", page, begin),
                // Nothing but what stands before a form, and what stands behind it.
                ("/imports", page, "x"), ("/imports", page, begin + "1\r\n--x--\r\n"),
            ] {
                let connection = try RawConnection(port: castle.port)
                try await connection.send(castle.head("POST", path, fields + chunked + Self.french))
                if !start.isEmpty {
                    try await connection.send(String(start.utf8.count, radix: 16) + "\r\n\(start)\r\n")
                }
                var (sent, rest) = (0, piece[...])
                let answer = try await connection.answer {
                    guard let more = connection.offer(rest) else { return }
                    sent += more
                    rest = more == rest.count ? piece[...] : rest.dropFirst(more)
                }
                #expect(answer.status == 413, "\(path): \(answer.status) after \(sent)")
                #expect(
                    answer.text.contains("Le fichier dépasse 100,0\u{a0}Mo"), "\(answer.text.prefix(200))")
                #expect(90_000_000...160_000_000 ~= sent, "\(sent)")
                try await until { castle.spool.isEmpty }
            }
            #expect(try castle.peak() < 250_000_000)
        }
    }

    @Test func `a full disk is told, nothing is left behind, and others go on`() async throws {
        try await SmallDisk.with(mebibytes: 2) { disk in
            func prepare(_ data: String) throws {
                try FileManager.default.createSymbolicLink(
                    atPath: data + "/spool", withDestinationPath: disk.folder.path)
            }
            try await withCastle(prepare: prepare) { castle in
                let ines = try await castle.signIn("ines")
                let file = "id,name\n" + String(repeating: "C,Nom\n", count: 700_000)
                let upload = try await castle.ask("POST", Self.depot, [Self.bearer] + Self.french, file)
                #expect(upload.status == 507 && upload.text.contains("FILE-UNWRITABLE"), "\(upload)")
                let body = form(ines.form) + file + "\r\n--x--\r\n"
                let page = try await castle.ask(
                    "POST", "/imports", [ines.cookie, Self.multipart] + Self.french, body)
                #expect(page.status == 507, "\(page.head)")
                try await until { castle.spool.isEmpty }
                let small = try await castle.ask("POST", Self.depot, [Self.bearer], "id,name\nC1,Un\n")
                #expect(small.status == 202, "\(small.text)")
                #expect(try await castle.ask("GET", "/healthz").status == 200)
            }
        }
    }

    @Test func `an upload that breaks off is not taken for a whole one`() async throws {
        try await withCastle { castle in
            for fields in [["Content-Length: 1000"], ["Transfer-Encoding: chunked"]] {
                let connection = try RawConnection(port: castle.port)
                try await connection.send(castle.head("POST", Self.depot, [Self.bearer] + fields))
                try await connection.send(
                    fields[0].hasPrefix("T") ? "f\r\nid,name\nC1,Un\n\n\r\n" : "id,name\nC1,Un\n")
                try await until { !castle.spool.isEmpty }
                connection.finish()
                let answer = try await connection.answer()
                #expect(answer.status == 400 && answer.text.contains("HTTP-INCOMPLETE"), "\(answer)")
                try await until { castle.spool.isEmpty }
            }
            let measures = try await castle.ask("GET", "/metrics")
            #expect(!measures.text.contains(#"status="202""#))
        }
    }

    // MARK: - Too many

    @Test func `so many files are received at once, and no more`() async throws {
        try await withCastle { castle in
            var senders: [RawConnection] = []
            for number in 1...4 {
                let connection = try RawConnection(port: castle.port)
                try await connection.send(
                    castle.head("POST", Self.depot, [Self.bearer, "Content-Length: 1000"]) + "id,name\n")
                try await until { castle.spool.count == number }
                senders.append(connection)
            }
            let more = try await castle.ask(
                "POST", Self.depot, [Self.bearer] + Self.french, "id,name\nC1,Un\n")
            #expect(more.status == 503 && more.head.contains("retry-after: 30"), "\(more)")
            #expect(more.text.contains("HTTP-BUSY"))
            senders = []
            try await until { castle.spool.isEmpty }
            let last = try await castle.ask("POST", Self.depot, [Self.bearer], "id,name\nC1,Un\n")
            #expect(last.status == 202 && senders.isEmpty, "\(last)")
        }
    }

    @Test func `ten thousand connections leave room for whoever asks for a page`() async throws {
        try #require(OwnLimits.raiseFiles() > 11_000)
        try await withCastle { castle in
            let ines = try await castle.signIn("ines")
            var (held, slowest): ([RawConnection], Duration) = ([], .zero)
            for number in 0..<10_000 {
                // A hundred from each address; one in two has begun a head.
                let connection = try RawConnection(port: castle.port, from: 2 + UInt32(number / 100))
                if number % 2 == 0 { try await connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n") }
                held.append(connection)
                guard number % 500 == 499 else { continue }
                let asked = ContinuousClock.now
                #expect(try await castle.ask("GET", "/healthz").status == 200)
                #expect(try await castle.ask("GET", "/accounts", [ines.cookie]).status == 200)
                slowest = max(slowest, asked.duration(to: .now))
            }
            #expect(slowest < .seconds(10))
            let measures = try await castle.ask("GET", "/metrics").text
            let open = try #require(measures.firstMatch(of: /relais_http_connections (\d+)/)).output.1
            #expect(try #require(Int(open)) <= 2000)
            try await until { held.count { $0.isEnded } >= 8000 }
            #expect(try castle.peak() < 300_000_000)
            // From one address, no more than its share stays.
            var crowd: [RawConnection] = []
            for _ in 0..<500 { crowd.append(try RawConnection(port: castle.port, from: 200)) }
            try await until { crowd.count { !$0.isEnded } <= 200 }
            #expect(try await castle.ask("GET", "/healthz", from: 200).status == 200)
        }
    }

    @Test func `a process without free files answers again once there are some`() async throws {
        try await withCastle { castle in
            let process = castle.daemon.process.processIdentifier
            let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
            let limit = ["--pid", "\(process)", "--nofile=\(files + 20)"]
            try run("/usr/bin/prlimit", limit)
            var held: [RawConnection] = []
            for _ in 0..<200 { held.append(try RawConnection(port: castle.port)) }
            #expect(held.count == 200 && castle.daemon.process.isRunning)
            held = []
            #expect(try await castle.ask("GET", "/healthz").status == 200)
        }
    }

    // MARK: - Too slow

    @Test func `a head, a body or an answer that does not move ends`() async throws {
        try await withCastle(["RELAIS_PATIENCE": "1"]) { castle in
            /// Sends a byte now and then until something comes.
            func drip(_ connection: RawConnection, _ text: String) async throws -> RawConnection.Answer {
                var rest = Array(text.utf8)[...]
                var next = ContinuousClock.now
                return try await connection.answer {
                    guard ContinuousClock.now > next, let byte = rest.popFirst() else { return }
                    _ = connection.offer([byte])
                    next = .now + .milliseconds(50)
                }
            }
            let long = String(repeating: "x", count: 10_000)
            let slowHead = try await drip(
                try RawConnection(port: castle.port), "GET /healthz HTTP/1.1\r\nHost: x\r\nX: \(long)")
            #expect(slowHead.status == 0)
            let upload = try RawConnection(port: castle.port)
            let fields = [Self.bearer, "Content-Length: 10000"] + Self.french
            try await upload.send(castle.head("POST", Self.depot, fields))
            let slowBody = try await drip(upload, long)
            #expect(slowBody.status == 408 && slowBody.text.contains("HTTP-SLOW"), "\(slowBody)")
            try await until { upload.isEnded && castle.spool.isEmpty }
            // A body that nobody reads is no reason to wait either.
            let unread = try RawConnection(port: castle.port)
            try await unread.send(castle.head("POST", "/nowhere", ["Content-Length: 10000"]))
            #expect(try await drip(unread, long).status == 404)
            try await until { unread.isEnded }
            #expect(try await castle.ask("GET", "/healthz").status == 200)
        }
    }

    @Test func `lists that nobody reads hold up neither pages nor each other for long`() async throws {
        try await withCastle(["RELAIS_PATIENCE": "2"]) { castle in
            try await castle.sql(
                """
                insert into party (kind, name, status)
                select 'organisation', 'Client ' || i || repeat(' et fils', 10), 'client'
                from generate_series(1, 30000) i
                """)
            let ines = try await castle.signIn("ines")
            var sessions = [ines]
            for number in 1...4 {
                let add = [
                    "users", "add", "rep\(number)", "--role", "it", "--sees-clients", "--password-stdin",
                ]
                let result = try await RelaisCommand.run(add + ["--data", castle.data], input: Self.password)
                try #require(result.status == 0, "\(result.errors)")
                sessions.append(try await castle.signIn("rep\(number)"))
            }
            var stalled: [RawConnection] = []
            for session in sessions {
                for _ in 0..<4 {
                    let connection = try RawConnection(port: castle.port, window: 4096)
                    try await connection.send(castle.head("GET", "/accounts.csv", [session.cookie]))
                    try await until { connection.take()?.isEmpty != true }
                    stalled.append(connection)
                }
            }
            // Sixteen are under way; one user has at most four of them.
            let more = try await castle.ask("GET", "/accounts.csv", [ines.cookie] + Self.french)
            #expect(more.status == 503 && more.head.contains("retry-after: 30"), "\(more.head)")
            #expect(more.text.contains("Trop de transferts sont en cours."))
            for _ in 0..<20 {
                #expect(try await castle.ask("GET", "/accounts", [ines.cookie]).status == 200)
            }
            // Whoever does not read loses his place.
            try await until {
                let connection = try RawConnection(port: castle.port)
                try await connection.send(castle.head("GET", "/accounts.csv", [ines.cookie]))
                var first: [UInt8] = []
                try await until {
                    first += connection.take() ?? [0]
                    return first.count > 12
                }
                return String(decoding: first.prefix(12), as: UTF8.self) == "HTTP/1.1 200"
            }
            #expect(stalled.count == 20)
        }
    }

    @Test func `one user follows so many runs at once, and no more`() async throws {
        try await withCastle { castle in
            // Whoever runs holds the lock of the run's number.
            let runner = try await Connection.open(
                try PrivateCluster(folder: URL(filePath: castle.data)).connectionString())
            try await runner.script(
                """
                with source as (
                  insert into source_system (code, kind) values ('siege', 'erp') returning id
                )
                insert into run (kind, source_id) select 'import', id from source;
                select pg_advisory_lock(29301, 1)
                """)
            let ines = try await castle.signIn("ines")
            var followed: [RawConnection] = []
            for _ in 0..<20 {
                let connection = try RawConnection(port: castle.port)
                try await connection.send(castle.head("GET", "/runs/1/live", [ines.cookie]))
                try await until { connection.take()?.isEmpty != true }
                followed.append(connection)
            }
            let more = try await castle.ask("GET", "/runs/1/live", [ines.cookie])
            #expect(more.status == 503 && more.head.contains("retry-after"), "\(more.head)")
            followed = []
            // The next beat finds out who is gone.
            try await until {
                let connection = try RawConnection(port: castle.port)
                try await connection.send(castle.head("GET", "/runs/1/live", [ines.cookie]))
                var first: [UInt8] = []
                try await until {
                    first += connection.take() ?? [0]
                    return first.count > 12
                }
                return String(decoding: first.prefix(12), as: UTF8.self) == "HTTP/1.1 200"
            }
            #expect(followed.isEmpty)
            await runner.close()
        }
    }

    // MARK: - Nonsense

    @Test func `what is no request is refused and ends its connection`() async throws {
        try await withCastle { castle in
            let start = "POST \(Self.depot) HTTP/1.1\r\nHost: x\r\n\(Self.bearer)\r\n"
            let get = "GET /healthz HTTP/1.1\r\nHost: x\r\n"
            let long = String(repeating: "a", count: 1 << 20)
            let after = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
            for (name, text) in [
                (
                    "length and chunks",
                    start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                ),
                ("two lengths", start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
                ("a list of lengths", start + "Content-Length: 5, 6\r\n\r\nhello"),
                ("a negative length", start + "Content-Length: -5\r\n\r\nhello"),
                ("a length with a sign", start + "Content-Length: +5\r\n\r\nhello"),
                ("an endless length", start + "Content-Length: 99999999999999999999\r\n\r\nhello"),
                ("a folded field", get + "X: a\r\n b\r\n\r\n"),
                ("a blank before the colon", start + "Content-Length : 5\r\n\r\nhello"),
                ("a size that is none", start + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
                ("a negative size", start + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"),
                (
                    "an endless size",
                    start + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n"
                ),
                ("a coding behind chunks", start + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
                ("an unknown coding", start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
                ("a long address", "GET /\(long) HTTP/1.1\r\nHost: x\r\n\r\n"),
                ("a long field", get + "X: \(long)\r\n\r\n"),
                ("many fields", get + String(repeating: "X: a\r\n", count: 1000) + "\r\n"),
                ("a long name", get + "\(long): a\r\n\r\n"),
                ("no HTTP", "\u{16}\u{3}\u{1}" + long),
                ("a NUL", get + "X: a\0b\r\n\r\n"),
            ] {
                let connection = try RawConnection(port: castle.port)
                try await connection.send(text + after)
                let answer = try await connection.answer()
                #expect(
                    [0, 400, 415].contains(answer.status),
                    "\(name): \(answer.status) \(answer.text.prefix(200))")
                try await until { connection.isEnded }
            }
            let measures = try await castle.ask("GET", "/metrics").text
            #expect(!measures.contains(#"route="/metrics",method="GET",status="200""#), "smuggled")
            #expect(castle.spool.isEmpty)
        }
    }

    @Test func `packed bodies are refused, whatever they would unpack to`() async throws {
        try await withCastle { castle in
            let ines = try await castle.signIn("ines")
            for field in [
                "Content-Encoding: gzip", "Content-Encoding: br", "Transfer-Encoding: gzip, chunked",
            ] {
                let connection = try RawConnection(port: castle.port)
                let fields = [Self.bearer, ines.cookie, field] + Self.french
                let length = field.hasPrefix("C") ? ["Content-Length: 5"] : []
                let body = field.hasPrefix("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n"
                try await connection.send(castle.head("POST", Self.depot, fields + length) + body)
                let answer = try await connection.answer()
                #expect(answer.status == 415 && answer.text.contains("HTTP-ENCODING"), "\(field): \(answer)")
            }
        }
    }

    @Test func `no route breaks on bodies of the wrong kind, size or depth`() async throws {
        try await withCastle { castle in
            let ines = try await castle.signIn("ines")
            let listed = try await RelaisCommand.run(["serve", "--routes", "--data", castle.data])
            let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
            let nested =
                String(repeating: #"{"a":"#, count: 10_000) + "1" + String(repeating: "}", count: 10_000)
            let form = "form=\(ines.form)"
            let strange = [
                "id=99999999999999999999", "id=-1", "id[]=1&id[]=2", "id=%00", "id=" + deep,
                String(repeating: "a=1&", count: 50_000), "name=" + String(repeating: "x", count: 500_000),
                "%%%=%&&&==&=", "version=1e99&id=NaN",
            ]
            let posts = listed.output.split(separator: "\n").filter { $0.hasPrefix("POST ") }
            #expect(posts.count > 10)
            for post in posts {
                let path = post.dropFirst(5).split(separator: "/").map {
                    $0.hasPrefix(":") || $0.hasPrefix("{") ? "1" : $0
                }
                .reduce("") { $0 + "/" + $1 }
                // A redirect for every method reads no body.
                guard !path.hasSuffix("/sign-out"), !path.hasPrefix("/.well-known") else { continue }
                let url = path.hasPrefix("/api/flows") ? Self.depot : path
                for json in [deep, nested] {
                    let fields = [ines.cookie, "Content-Type: application/json", "Accept: text/html"]
                    let answer = try await castle.ask("POST", url, fields, json)
                    #expect(400..<500 ~= answer.status, "\(path): \(answer.status)")
                }
                for body in strange {
                    let fields = [ines.cookie, Self.urlEncoded, "Accept: text/html"]
                    let answer = try await castle.ask("POST", url, fields, form + "&" + body)
                    #expect(200..<500 ~= answer.status, "\(path) \(body.prefix(30)): \(answer.status)")
                }
                let huge = try await castle.ask(
                    "POST", url, [ines.cookie, Self.urlEncoded],
                    form + "&a=" + String(repeating: "x", count: 3 << 20))
                #expect(400..<500 ~= huge.status, "\(path): \(huge.status)")
            }
            // As a file, it is one that no mapping fits.
            let file = try await castle.ask("POST", Self.depot, [Self.bearer], deep)
            #expect(file.status == 202, "\(file.text)")
            try await until {
                castle.daemon.events.contains {
                    $0["kind"] == "flow" && $0["message"]?.hasPrefix("job") == true
                }
            }
            #expect(try await castle.ask("GET", "/healthz").status == 200)
        }
    }

    @Test func `forms with files are refused where they are cut, crowded or oddly named`() async throws {
        try await withCastle { castle in
            let ines = try await castle.signIn("ines")
            let whole = form(ines.form) + "id,name\nC1,Un\n"
            let file = "--x\r\nContent-Disposition: form-data; name=\"b\"; filename=\"b.csv\"\r\n\r\nid\n"
            let end = "\r\n--x--\r\n"
            let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
            func post(_ body: String, _ type: String = Self.multipart) async throws -> RawConnection.Answer {
                try await castle.ask("POST", "/imports", [ines.cookie, type] + Self.french, body)
            }
            for (name, body) in [
                ("no end", whole), ("no parts", "--x--\r\n"), ("nothing", ""), ("no boundary", "hello"),
                ("another boundary", whole.replacing("--x", with: "--y") + end),
                ("many parts", String(repeating: part, count: 10_000) + whole + end),
                ("a long head", "--x\r\nX: \(String(repeating: "a", count: 100_000))\r\n\r\n" + whole + end),
                ("two files", whole + "\r\n" + file + end),
                (
                    "a large field",
                    part.replacing("1", with: String(repeating: "1", count: 200_000)) + whole + end
                ),
            ] {
                let answer = try await post(body)
                #expect([400, 422].contains(answer.status), "\(name): \(answer.status)")
            }
            for type in [
                "Content-Type: text/plain", "Content-Type: multipart/form-data",
                "Content-Type: multipart/form-data; boundary=" + String(repeating: "x", count: 200),
                "Content-Type: application/json",
            ] {
                let answer = try await post(whole + end, type)
                #expect(answer.status == 415, "\(type): \(answer.status)")
            }
            for name in [
                "../../etc/passwd", "..", ".hidden", "", "a/b.csv", "a\nb.csv", "a\u{1b}[31m.csv",
                String(repeating: "n", count: 300), String(repeating: "n", count: 10_000), "C:\\..\\x.csv",
                "facture\u{202e}vsc.exe",
            ] {
                let answer = try await post(form(ines.form, name: name) + "id,name\nC1,Un\n" + end)
                #expect([400, 422].contains(answer.status), "\(name.prefix(20)): \(answer.status)")
                let escaped = try #require(name.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
                let upload = try await castle.ask(
                    "POST", "/api/flows/depot/files?name=" + escaped, [Self.bearer], "id,name\nC1,Un\n")
                #expect(upload.status == 400, "\(name.prefix(20)): \(upload.status)")
            }
            // A NUL in a name is left out; nothing of it reaches a file system.
            #expect(
                try await post(form(ines.form, name: "a\0b.csv") + "id,name\nC1,Un\n" + end).status == 303)
            try await until { castle.spool.isEmpty }
        }
    }
}
