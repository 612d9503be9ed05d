// SPDX-License-Identifier: Apache-2.0
// What did not happen: noticed once, told by mail and to a program, to real servers.

import ConnectorKit
import Crypto
import Diagnostics
import ERPConnector
import Foundation
import Hub
import Jobs
import Mail
import Mapping
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct AlertTests {
    private static let connectors = ConnectorRegistry([ERPConnector.self])

    private static func at(_ text: String) -> Timestamp {
        let date = ISO8601DateFormatter().date(from: text) ?? Date(timeIntervalSince1970: 0)
        return Timestamp(microsecondsSince1970: Int64(date.timeIntervalSince1970) * 1_000_000)
    }

    private static func flow(_ lines: String...) throws -> FlowDefinition {
        let text = (["flow: factures", "connector: erp", "settings: {paths: [x]}"] + lines)
        return try FlowDefinition.parse(
            text.joined(separator: "\n") + "\n", file: "f.yaml", connectors: connectors,
            mappings: try MappingLibrary.shipped())
    }

    @Test func `a file that did not come by its time is told once, by signed webhook and by mail`()
        async throws
    {
        let bench = try await Workbench()
        let server = try await SMTPServer(isTLS: true)
        let listener = try await WebhookListener()
        let secrets = Secrets(keyFile: bench.folder.path + "/secret.key", mayMakeKey: true)
        let flow = try Self.flow(
            "expected_by: \"07:00\"",
            "alerts: {mail: [it@exemple.fr, chef@exemple.fr], webhook: \"\(listener.address)\", signed_with: hook}"
        )
        let scheduler = FlowScheduler(pool: bench.pool)
        try await bench.pool.withConnection { connection in
            try await secrets.set("hook", to: "Schluessel", by: nil, on: connection)
            _ = try await Flows.apply(
                flow, by: nil, now: Self.at("2026-01-05T00:00:00Z"), on: connection)
            #expect(try await scheduler.watch(Self.at("2026-01-05T05:59:59Z"), on: connection) == 0)
            #expect(try await scheduler.watch(Self.at("2026-01-05T06:00:00Z"), on: connection) == 2)
            // Whoever else ticks, and however often.
            #expect(try await scheduler.watch(Self.at("2026-01-05T06:00:01Z"), on: connection) == 0)
        }
        let alerts = Alerts(
            pool: bench.pool, connectors: Self.connectors, mappings: MappingShelf(own: nil),
            secrets: secrets,
            mail: try MailServer(
                "smtps://127.0.0.1:\(server.peer.port)", sender: "relais@exemple.fr",
                authorities: server.certificate)
        ) { alert in
            ("Rien reçu : \(alert.flow), été comme hiver, jusqu'au bout de la ligne", "Attendu.\nRéglé ?\n")
        }
        try await work(bench, alerts)
        let message = try #require(try server.messages().first)
        #expect(try server.messages().count == 1)
        #expect(message.contains("To: it@exemple.fr, chef@exemple.fr"))
        #expect(message.contains("Message-ID: <alert-1@exemple.fr>"))
        #expect(message.contains(Data("Attendu.\r\nRéglé ?\r\n".utf8).base64EncodedString()))
        let got = try #require(try listener.messages().first)
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(got.body.utf8), using: SymmetricKey(data: Data("Schluessel".utf8)))
        let digits = code.map { String(format: "%02x", $0) }.joined()
        #expect(got.signature == "sha256=" + digits)
        #expect(got.key == "alert-1")
        #expect(got.body.contains("\"late\""))
        let kept = try await bench.pool.withConnection { try await Alerts.list(on: $0) }
        #expect(kept.count == 1 && kept[0].mailedAt != nil && kept[0].postedAt != nil)
    }

    /// Lets a worker do all jobs that there are.
    private func work(_ bench: Workbench, _ alerts: Alerts) async throws {
        let worker = Worker(
            pool: bench.pool, name: "test", slots: [.scheduled: 2], handlers: alerts.handlers
        ) { event in
            if case .postponed(_, let error) = event { Issue.record("\(error.code) \(error.facts)") }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            try await until {
                try await bench.pool.withConnection { connection in
                    try await connection.run(AdHoc<Int>("select count(*) from job")) == [0]
                }
            }
            worker.drain()
            try await group.waitForAll()
        }
    }

    @Test func `a file that came, or a flow that is paused, is not told; a job given up is`() async throws {
        let bench = try await Workbench()
        let flow = try Self.flow("expected_by: \"0 7 * * mon-fri\"")
        let scheduler = FlowScheduler(pool: bench.pool)
        try await bench.pool.withConnection { connection in
            _ = try await Flows.apply(flow, by: nil, now: Self.at("2026-01-05T00:00:00Z"), on: connection)
            try await connection.script(
                """
                update flow_expectation set since = '2026-01-04';
                insert into source_system (code, kind) values ('erp', 'erp') on conflict do nothing;
                insert into run (kind, source_id, flow_id, started_at)
                  select 'import', s.id, f.id, '2026-01-03 05:00Z' from source_system s, flow f where s.code = 'erp';
                insert into blob (sha256, size) values (decode(repeat('00', 32), 'hex'), 1);
                -- The run has gone on for days.
                insert into artifact (run_id, sha256, name, size, received_at)
                  select id, decode(repeat('00', 32), 'hex'), 'a', 1, '2026-01-05 05:00Z' from run;
                """)
            #expect(try await scheduler.watch(Self.at("2026-01-05T06:00:00Z"), on: connection) == 0)
            try await Flows.pause("factures", true, by: nil, on: connection)
            #expect(try await scheduler.watch(Self.at("2026-01-06T06:00:00Z"), on: connection) == 0)
            try await Flows.pause("factures", false, by: nil, on: connection)
            // Saturday and Sunday are not meant, Wednesday is.
            #expect(try await scheduler.watch(Self.at("2026-01-07T06:00:00Z"), on: connection) == 2)
            try await connection.script(
                """
                insert into job_history (job_id, queue, kind, group_key, outcome, attempt, created_at, error)
                values (9, 'scheduled', 'flow', 'flow:factures', 'dead', 8, now(), '{"code": "TRANSFER-LOGIN"}')
                """)
            #expect(try await scheduler.watch(Self.at("2026-01-07T06:00:01Z"), on: connection) == 2)
            #expect(try await scheduler.watch(Self.at("2026-01-07T06:00:02Z"), on: connection) == 0)
            let kept = try await Alerts.list(on: connection)
            #expect(kept.map(\.kind) == [.failed, .late])
            #expect(kept[0].facts.text.contains("TRANSFER-LOGIN"))
        }
    }

    @Test func `faults of alerts and expectations are told with their lines`() throws {
        let faults = #expect(throws: FlowFaults.self) {
            _ = try Self.flow(
                "expected_by: 25 o'clock", "alerts: {mail: [nobody], webhook: \"sftp://x/\", sign: x}")
        }
        let found = faults?.faults.map { "\($0.place.line ?? 0) \($0.code)" } ?? []
        #expect(found.sorted() == ["4 CRON-FIELDS", "5 YAML-KEY", "5 YAML-VALUE", "5 YAML-VALUE"])
    }
}
