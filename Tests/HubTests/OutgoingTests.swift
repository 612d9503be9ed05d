// SPDX-License-Identifier: Apache-2.0
// Flows that send: what changed goes out once, in order, as files and as messages, whatever fails.

import BlobStore
import CRM
import Crypto
import Diagnostics
import ERPConnector
import Foundation
import Hub
import Jobs
import Mapping
import Model
import PostgreSQL
import RelaisTesting
import Synchronization
import Testing

@Suite struct OutgoingTests {
    private static let connectors = ConnectorRegistry([ERPConnector.self])

    private func flow(_ outgoing: String, _ lines: String...) throws -> FlowDefinition {
        let text = ["flow: sortie", "outgoing: {\(outgoing)}"] + lines
        return try FlowDefinition.parse(
            text.joined(separator: "\n") + "\n", file: "f.yaml", connectors: Self.connectors,
            mappings: try MappingLibrary.shipped())
    }

    private func secrets(_ bench: Workbench) -> Secrets {
        Secrets(keyFile: bench.folder.path + "/secret.key", mayMakeKey: true)
    }

    private func apply(_ flow: FlowDefinition, _ bench: Workbench) async throws {
        try await bench.pool.withConnection { connection in
            _ = try await Flows.apply(
                flow, by: nil, now: Timestamp(microsecondsSince1970: 0), on: connection)
        }
    }

    /// Runs the flow's job to its end.
    ///
    /// - Returns: the codes of attempts that failed.
    @discardableResult
    private func send(_ bench: Workbench, _ shelf: MappingShelf = MappingShelf(own: nil)) async throws
        -> [String]
    {
        // The log is read up to the oldest transaction of the cluster, other tests' included.
        try await until {
            try await bench.numbers(
                "select count(*) from change_log where xid >= pg_snapshot_xmin(pg_current_snapshot())") == [0]
        }
        try await bench.pool.withConnection { connection in
            _ = try await Flows.run(
                "sortie", connectors: Self.connectors, mappings: try shelf.library(), on: connection)
        }
        let runner = FlowRunner(
            pool: bench.pool, connectors: Self.connectors, mappings: shelf,
            settings: ImportSettings(blobs: bench.blobs), secrets: secrets(bench))
        let codes = Codes()
        let worker = Worker(
            pool: bench.pool, name: UUID().uuidString, slots: [.interactive: 1], handlers: runner.handlers
        ) { event in
            switch event {
            case .postponed(_, let error), .ended(_, let error): codes.add(error.code)
            default: break
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            try await until {
                if !codes.all.isEmpty { return true }
                return try await bench.numbers("select count(*) from job") == [0]
            }
            worker.drain()
            try await group.waitForAll()
        }
        try await bench.script("delete from job")
        return codes.all
    }

    private func invoices(_ bench: Workbench, _ rows: String...) async throws {
        let header =
            "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;Devise;MontantHT;MontantTVA;MontantTTC;Statut\n"
        let report = try await bench.run([
            try bench.write(header + rows.joined(separator: "\n") + "\n", "f.csv")
        ])
        #expect(report.ledger.quarantined == 0)
    }

    private func row(_ number: String, net: Int = 100) -> String {
        "\(number);03/01/2026;02/02/2026;C-001;Épicerie;991002015;;EUR;\(net),00;20,00;\(net + 20),00;impayée"
    }

    private func files(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func `only what changed since goes out, each time in a file of its own, and nothing makes none`()
        async throws
    {
        let bench = try await Workbench()
        let out = bench.folder.appending(path: "out")
        try await invoices(bench, row("F-0"))
        try await apply(try flow("entity: invoice, mapping: export-factures, to: \(out.path)"), bench)
        #expect(try await send(bench).isEmpty)
        #expect(try await bench.numbers("select count(*) from run where kind = 'export'") == [0])
        try await invoices(bench, row("F-1"), row("F-2"))
        #expect(try await send(bench).isEmpty)
        try await invoices(bench, row("F-1", net: 110), row("F-2"))
        #expect(try await send(bench).isEmpty)
        #expect(try await send(bench).isEmpty)
        #expect(try files(out) == ["sortie-000001.csv", "sortie-000002.csv"])
        let first = try String(contentsOf: out.appending(path: "sortie-000001.csv"), encoding: .utf8)
        #expect(first.contains("F-1") && first.contains("F-2") && !first.contains("F-0"))
        let second = try String(contentsOf: out.appending(path: "sortie-000002.csv"), encoding: .utf8)
        #expect(second.contains("130,00") && !second.contains("F-2"))
        #expect(
            try await bench.texts(
                "select a.name || ' ' || r.read || ' ' || r.state from run r join artifact a on a.run_id = r.id where r.kind = 'export' order by r.id"
            ) == ["sortie-000001.csv 2 succeeded", "sortie-000002.csv 1 succeeded"])
    }

    @Test func `accounts go out by site, with the codes of the system that gets them`() async throws {
        let bench = try await Workbench()
        let out = bench.folder.appending(path: "out")
        _ = try await bench.accounts(
            "C1,Durand,991002015,99100201500014,,\"4, rue du Port\",29200,BREST,0298001122",
            "C2,Durand,991002015,99100201500022,,,35000,RENNES,")
        let outgoing = "entity: account, mapping: export-comptes, to: \(out.path), since: start"
        try await apply(try flow(outgoing, "source: crm"), bench)
        #expect(try await send(bench).isEmpty)
        let text = try String(contentsOf: out.appending(path: "sortie-000001.csv"), encoding: .utf8)
        let rows = text.split(whereSeparator: \.isNewline).dropFirst()
        #expect(rows.count == 2)
        #expect(
            rows.contains { $0.hasPrefix("C1;Durand;991002015;99100201500014;;4, rue du Port;29200;BREST") })
        #expect(rows.contains { $0.hasPrefix("C2;Durand;") })
    }

    @Test func `changes of a source that is left out do not go back to it`() async throws {
        let bench = try await Workbench()
        let out = bench.folder.appending(path: "out")
        try await apply(
            try flow("entity: invoice, mapping: export-factures, to: \(out.path), except: [erp]"), bench)
        try await invoices(bench, row("F-1"))
        #expect(try await send(bench).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: out.path))
        try await bench.script(
            "insert into change_log (entity, entity_id, op) select 'sales_doc', id, 'update' from sales_doc")
        #expect(try await send(bench).isEmpty)
        #expect(try files(out).count == 1)
    }

    @Test func `a record that cannot be written is kept with its reason, and the others go out`() async throws
    {
        let bench = try await Workbench()
        let listener = try await WebhookListener()
        try await apply(
            try flow("entity: invoice, mapping: export-json, webhook: \"\(listener.address)\""), bench)
        try await invoices(bench, row("F-1"), row("F-REFUSE"), row("F-3"))
        #expect(try await send(bench).isEmpty)
        let numbers = try listener.messages().map(\.body)
        #expect(numbers.count == 2 && numbers[0].contains("F-1") && numbers[1].contains("F-3"))
        #expect(
            try await bench.texts(
                "select state || ' ' || unchanged || ' ' || skipped from run where kind = 'export'")
                == ["partial 2 1"])
        #expect(
            try await bench.texts("select problem->>'code' from run_problem") == ["TRANSFER-ANSWER"])
    }

    @Test
    func `messages are signed, come in the order of changes, and again under the same key after a failure`()
        async throws
    {
        let bench = try await Workbench()
        let listener = try await WebhookListener()
        try await bench.pool.withConnection { connection in
            try await secrets(bench).set("hook", to: "Schluessel", by: nil, on: connection)
        }
        try await apply(
            try flow(
                "entity: invoice, mapping: export-json, webhook: \"\(listener.address)\"",
                "secrets: {signed_with: hook}"), bench)
        try await invoices(bench, row("F-2"))
        try await invoices(bench, row("F-1"))
        try listener.answer(503)
        #expect(try await send(bench) == ["TRANSFER-ANSWER"])
        #expect(try listener.messages().isEmpty)
        // What changes meanwhile is no part of the shipment that is on its way.
        try await invoices(bench, row("F-3"))
        try listener.answer(nil)
        #expect(try await send(bench).isEmpty)
        let messages = try listener.messages()
        #expect(messages.count == 3)
        for (message, number) in zip(messages, ["F-2", "F-1", "F-3"]) {
            #expect(message.body.contains(#""number":"\#(number)""#), "\(message.body)")
            let code = HMAC<SHA256>.authenticationCode(
                for: Data(message.body.utf8), using: SymmetricKey(data: Data("Schluessel".utf8)))
            #expect(message.signature == "sha256=" + code.map { String(format: "%02x", $0) }.joined())
        }
        #expect(Set(messages.map(\.key)).count == 3)
        // A process that died before it could note that all was sent sends the same again.
        try await bench.script(
            """
            update shipment set sent_at = null where no = 2;
            update log_cursor set (xid, seq) = (select after_xid, after_seq from shipment where no = 2)
            where name like 'flow:%'
            """)
        #expect(try await send(bench).isEmpty)
        let again = try listener.messages()
        #expect(again.count == 4 && again[3].key == again[2].key && again[3].body == again[2].body)
    }

    @Test func `a file goes to another machine, and under the same name when it has to go again`()
        async throws
    {
        let bench = try await Workbench()
        let server = try await SSHServer()
        try await bench.pool.withConnection { connection in
            try await secrets(bench).set("key", to: server.privateKey, by: nil, on: connection)
        }
        try await apply(
            try flow(
                "entity: invoice, mapping: export-xml, to: \"\(server.address)\", file: \"f-{date}-{no}.xml\"",
                "settings: {host_keys: [\"\(server.fingerprint)\"]}", "secrets: {private_key: key}"), bench)
        try await invoices(bench, row("F-1"))
        #expect(try await send(bench).isEmpty)
        let names = try files(server.files)
        #expect(names.count == 1 && names[0].hasPrefix("f-20") && names[0].hasSuffix("-000001.xml"))
        try await bench.script("update shipment set sent_at = null")
        try await bench.script(
            "update log_cursor set (xid, seq) = (select after_xid, after_seq from shipment) where name like 'flow:%'"
        )
        #expect(try await send(bench).isEmpty)
        #expect(try files(server.files) == names)
        let text = try String(contentsOf: server.files.appending(path: names[0]), encoding: .utf8)
        #expect(text.contains("F-1") && text.hasSuffix("</r:factures>\n"))
    }

    @Test
    func `a status that follows from a payment goes out as its source's, one of the calendar as nobody's`()
        async throws
    {
        let bench = try await Workbench()
        let out = bench.folder.appending(path: "out")
        func last() throws -> String {
            let name = try #require(try files(out).last)
            return try String(contentsOf: out.appending(path: name), encoding: .utf8)
        }
        func pay(_ number: String, _ file: String) async throws {
            let header =
                "NumPaiement;DatePaiement;CodeClient;RaisonSociale;Mode;Montant;Devise;NumFacture;MontantImpute\n"
            let text = header + "P\(number);05/02/2026;C-001;Épicerie;virement;120,00;EUR;\(number);120,00\n"
            #expect(try await bench.run([try bench.write(text, file)]).ledger.quarantined == 0)
        }
        try await invoices(bench, row("F-1"), row("F-2"), row("F-3"))
        try await apply(try flow("entity: invoice, mapping: export-factures, to: \(out.path)"), bench)
        try await pay("F-1", "p1.csv")
        #expect(try await send(bench).isEmpty)
        #expect(try last().contains("F-1") && last().contains("payée") && !last().contains("F-2"))
        // Of the ERP's own payments the ERP need not hear; of the calendar's doing, everybody.
        try await apply(
            try flow("entity: invoice, mapping: export-factures, to: \(out.path), except: [erp]"), bench)
        try await pay("F-2", "p2.csv")
        #expect(try await send(bench).isEmpty)
        #expect(try files(out).count == 1)
        try await bench.script("update sales_doc set billing_status = 'open' where number = 'F-3'")
        try await bench.pool.withConnection { try await OverdueDocuments.derive(on: $0) }
        #expect(try await send(bench).isEmpty)
        #expect(try last().contains("F-3") && last().contains("en retard") && !last().contains("F-2"))
        let changes = "select count(*) from change_log where 'billing_status' = any(fields)"
        let before = try await bench.numbers(changes)
        try await bench.pool.withConnection { try await OverdueDocuments.derive(on: $0) }
        #expect(try await bench.numbers(changes) == before)
    }

    @Test func `what an undo takes back goes out too, whoever had said it, down to a phone`() async throws {
        let bench = try await Workbench()
        let out = bench.folder.appending(path: "out")
        _ = try await bench.accounts("C1,Durand,991002015,,,,,,")
        try await apply(
            try flow("entity: account, mapping: export-comptes, to: \(out.path), except: [crm]"), bench)
        _ = try await bench.accounts("C1,Durand,991002015,,,,,,0298001122", name: "b.csv")
        #expect(try await send(bench).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: out.path))
        let run = try #require(try await bench.numbers("select max(id) from run").first)
        _ = try await UndoEngine(pool: bench.pool).undo(run)
        #expect(try await send(bench).isEmpty)
        let text = try String(contentsOf: out.appending(path: "sortie-000001.csv"), encoding: .utf8)
        #expect(text.contains("Durand") && !text.contains("0298001122"), "\(text)")
        // Whatever an undo writes is a party's, a site's or a document's.
        let entities = try await bench.texts("select distinct entity from change_log order by 1")
        #expect(entities.allSatisfy { ["party", "site", "sales_doc"].contains($0) }, "\(entities)")
    }

    @Test func `what was sent cannot be undone`() async throws {
        let bench = try await Workbench()
        let out = bench.folder.appending(path: "out")
        try await apply(try flow("entity: invoice, mapping: export-factures, to: \(out.path)"), bench)
        try await invoices(bench, row("F-1"))
        #expect(try await send(bench).isEmpty)
        let run = try #require(try await bench.numbers("select id from run where kind = 'export'").first)
        await #expect(throws: RunError.self) { try await UndoEngine(pool: bench.pool).undo(run) }
    }

    @Test func `faults of an outgoing flow are told at once`() throws {
        let text = """
            flow: faux
            connector: erp
            outgoing: {entity: invoice, mapping: export-comptes, to: tmp, sinc: now}

            """
        let mappings = try MappingLibrary.shipped()
        do throws(FlowFaults) {
            _ = try FlowDefinition.parse(
                text, file: "f.yaml", connectors: Self.connectors, mappings: mappings)
            Issue.record("taken")
        } catch {
            #expect(
                error.faults.map { "\($0.place.line ?? 0) \($0.code)" } == [
                    "2 FLOW-DIRECTION", "3 YAML-VALUE", "3 YAML-KEY",
                ])
        }
    }
}

/// Codes that a worker reports.
private final class Codes: Sendable {
    private let codes = Mutex<[String]>([])

    var all: [String] { codes.withLock { $0 } }

    func add(_ code: String) { codes.withLock { $0.append(code) } }
}
