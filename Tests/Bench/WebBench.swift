// SPDX-License-Identifier: Apache-2.0
// Pages of the console on a large database: an open loop of twenty users at one request a second each.

internal import CRM
internal import Foundation
internal import FoundationNetworking
internal import PostgreSQL

/// The server's answers, whole, at the 95th percentile; the gates are those of the product's issue.
struct WebBench {
    let folder: URL
    /// A hundredth of a million organisations by default; RELAIS_BENCH_PAGES=100 for all.
    private let scale = Int(ProcessInfo.processInfo.environment["RELAIS_BENCH_PAGES"] ?? "") ?? 1
    private let users = 20
    private let seconds = 15

    func run() async throws {
        // A million organisations take a quarter of an hour to make: a folder named here keeps them for the next run.
        let kept = ProcessInfo.processInfo.environment["RELAIS_BENCH_KEEP"].map { URL(filePath: $0) }
        let cluster = try PrivateCluster(folder: kept ?? folder.appending(path: "web"))
        try await cluster.start()
        let url = cluster.connectionString()
        let pool = Pool(url, limits: Pool.Limits(connections: 2))
        try await pool.withConnection { connection in
            _ = try await Migrator(try Schema.migrations()).migrate(connection)
            if try await connection.run(Organisations()).first == 0 { try await seed(connection) }
        }
        let cookie = try await session(pool)
        await pool.close()
        let server = try serve(url)
        defer { server.process.terminate() }
        let address = try await server.address()
        let organisations = 10_000 * scale
        func measure(_ name: String, _ gate: Double, _ path: @escaping @Sendable (Int) -> String) async throws
        {
            let times = try await load(address, cookie, path)
            Bench.report("\(name), p95", times[times.count * 95 / 100], gate, "ms", "the gate")
        }
        try await measure("type-ahead", 10) { "/search.json?q=Client%20\($0 * 37 % organisations)" }
        try await measure("list page, at any depth", 20) {
            "/accounts?after=client%20\($0 * 7919 % organisations)&id=\($0)"
        }
        try await measure("360° view", 25) { "/accounts/\($0 * 7919 % organisations + 1)" }
        try await measure("run page", 25) { _ in "/runs/1" }
        try await cluster.stop()
    }

    /// Organisations, people, interactions and documents, by simple rules: the same in every run.
    private func seed(_ connection: Connection) async throws {
        let organisations = 10_000 * scale
        try await connection.script(
            """
            insert into party (id, kind, name, status)
              select i, 'organisation', 'Client ' || i, case when i % 4 = 0 then 'prospect' else 'client' end
              from generate_series(1, \(organisations)) i;
            insert into party (id, kind, name, status)
              select \(organisations) + i, 'person', 'Personne ' || i, 'other' from generate_series(1, \(2 * organisations)) i;
            insert into org (party_id, siren) select i, lpad(i::text, 9, '0') from generate_series(1, \(organisations)) i;
            insert into site (id, party_id, street, postal_code, city, country, is_main)
              select i, i, i || ' rue du Port', '29000', 'QUIMPER', 'FR', true from generate_series(1, \(organisations)) i;
            insert into contact_point (party_id, kind, value_norm, value)
              select i, 'phone', '+33' || i, '0' || i from generate_series(1, \(3 * organisations)) i;
            insert into relation (from_id, to_id, kind, label)
              select \(organisations) + i, i % \(organisations) + 1, 'works_for', 'Achats' from generate_series(1, \(2 * organisations)) i;
            insert into field_claim (entity, entity_id, field, source_id, value)
              select 'party', i, f, s, 'x' from generate_series(1, \(organisations)) i, unnest(array['name', 'siren', 'vat']) f, (values (1), (2)) v(s);
            insert into sales_doc (id, kind, number, origin, source_id, issuer_id, party_id, issued_on, due_on, currency,
                gross_total, net_total, open_amount, billing_status, content_hash)
              select i, 'invoice', 'FA-' || i, 'erp', 1, 1, i % \(organisations) + 1, current_date - i % 700, current_date - i % 700 + 30,
                'EUR', 120, 100, case when i % 5 = 0 then 120 end, case when i % 5 = 0 then 'overdue' else 'paid' end, ''
              from generate_series(1, \(3 * organisations)) i;
            insert into sales_doc_line (doc_id, no, label, net)
              select id, n, 'Pièce ' || n, 30 from sales_doc, generate_series(1, 3) n;
            insert into interaction (occurred_at, channel, subject, account_id)
              select now() - i * interval '1 minute', 'call', 'Appel ' || i, i % \(organisations) + 1
              from generate_series(1, \(10 * organisations)) i;
            insert into interaction_party (party_id, occurred_at, interaction_id, channel)
              select account_id, occurred_at, id, channel from interaction;
            insert into interaction_body (interaction_id, body) select id, 'Une phrase sur cet appel.' from interaction;
            insert into run (kind, source_id, state, finished_at, read, inserted)
              select 'import', id, 'succeeded', now(), 412380, 412380 from source_system limit 1;
            analyze
            """)
    }

    private struct Organisations: Statement {
        static let sql = "select count(*) from (select from org limit 1) o"
        typealias Row = Int
    }

    private func session(_ pool: Pool) async throws -> String {
        let signIn = SignIn(passwords: Passwords(cost: .init(logN: 10, parallelism: 1)))
        let password = "quatre mots bien choisis"
        guard let link = try await pool.withConnection({ try await SignIn.firstLink(on: $0) }) else {
            return try await signIn.enter("bench", password, from: nil, in: pool).text
        }
        return try await signIn.use(link, login: "bench", name: "Bench", password: password, in: pool).text
    }

    // MARK: - The server

    private struct Server {
        let process: Process
        let log: URL

        func address() async throws -> String {
            for _ in 0..<200 {
                let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                if let port = text.firstMatch(of: #/listening port=(\d+)/#)?.output.1,
                    text.contains("info ready")
                {
                    return "http://127.0.0.1:\(port)"
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            throw CancellationError()
        }
    }

    private func serve(_ url: String) throws -> Server {
        let log = folder.appending(path: "web.log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let process = Process()
        process.executableURL = Bundle.main.executableURL?.deletingLastPathComponent().appending(
            path: "relais")
        process.arguments = ["serve", "--roles", "web", "--listen", "127.0.0.1:0", "--log-format", "text"]
        process.environment = [
            "RELAIS_DATABASE_URL": url, "RELAIS_DATA": folder.appending(path: "web-data").path,
            "PATH": "/usr/bin:/bin",
        ]
        process.standardError = try FileHandle(forWritingTo: log)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return Server(process: process, log: log)
    }

    // MARK: - The load

    /// Milliseconds of each answer, sorted; each user asks once a second, whether the last was answered or not.
    private func load(
        _ address: String, _ cookie: String, _ path: @escaping @Sendable (Int) -> String
    ) async throws -> [Double] {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = users
        let session = URLSession(configuration: configuration)
        defer { session.finishTasksAndInvalidate() }
        let started = ContinuousClock.now
        let (users, count) = (users, users * seconds)
        return try await withThrowingTaskGroup(of: Double.self) { group in
            for number in 0..<count {
                group.addTask {
                    try await Task.sleep(
                        until: started + .milliseconds(1000 * number / users), clock: .continuous)
                    guard let url = URL(string: address + path(number)) else { return .infinity }
                    var request = URLRequest(url: url)
                    request.setValue("relais_session=\(cookie)", forHTTPHeaderField: "Cookie")
                    request.setValue("text/html", forHTTPHeaderField: "Accept")
                    let begun = ContinuousClock.now
                    let (_, response) = try await session.data(for: request)
                    let isWhole = (response as? HTTPURLResponse)?.statusCode == 200
                    return isWhole ? begun.duration(to: .now) / .milliseconds(1) : .infinity
                }
            }
            var times: [Double] = []
            for try await time in group { times.append(time) }
            return Array(times.sorted())
        }
    }
}
