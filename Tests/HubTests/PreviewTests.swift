// SPDX-License-Identifier: Apache-2.0
// A preview says what the import then does, and writes nothing.

import CRM
import Diagnostics
import Foundation
import Hub
import Mapping
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct PreviewTests {
    private static let samples = Repository.root.appending(path: "Connectors/ERP/Samples").path

    @Test(arguments: [1, 5000])
    func `what a preview counts is what the import then does`(batchSize: Int) async throws {
        let bench = try await Workbench(batchSize: batchSize)
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.samples + "/factures").sorted()
        let invoices = names.map { Self.samples + "/factures/" + $0 }
        for paths in [[Self.samples + "/comptes.csv"], invoices, [Self.samples + "/comptes.csv"]] {
            let before = try await bench.digest()
            let preview = try await bench.preview(paths)
            #expect(try await bench.digest() == before)
            #expect(try await bench.run(paths).ledger == preview.ledger)
        }
    }

    @Test func `two records of one new client are one new client, also in different batches`() async throws {
        let bench = try await Workbench(batchSize: 1)
        let file = try bench.invoices([
            "F1;01/02/2026;;N1;Neuf;732829320;;10;2;12;EUR;",
            "F2;01/02/2026;;N1;Neuf;732829320;;20;4;24;EUR;",
            "F2;01/02/2026;;N1;Neuf;732829320;;20;4;24;EUR;",
        ])
        let preview = try await bench.preview([file])
        #expect(preview.ledger == RunLedger(inserted: 2, skipped: 1))
        #expect(try await bench.numbers("select count(*) from party") == [0])
        #expect(try await bench.run([file]).ledger == preview.ledger)
    }

    @Test func `each field says where it came from, and what it was and will be`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([try bench.invoices(["F1;01/02/2026;;N1;Neuf;732829320;;10;2;12;EUR;"])])
        let file = try bench.invoices(["F1;01/02/2026;;N1;Neuf;732829320;;20,00;4;24,00;EUR;"], name: "b.csv")
        let record = try #require(try await bench.preview([file]).outcomes.first)
        #expect(record.outcome == .updated)
        let decision = try #require(record.decision)
        #expect(decision.before?.text == #"{"net_total": 10, "tax_total": 2, "gross_total": 12}"#)
        #expect(decision.after?.text.contains(#""gross_total": 24.00"#) == true)
        let trace = try #require(record.item.traces.first { $0.field == "gross_total" })
        #expect(trace.origin == "MontantTTC")
        #expect(trace.source == "24,00")
        #expect(trace.steps.contains("decimal fr"))
        let match = try #require(decision.traces.first { $0.role == "buyer" })
        #expect(match.result == .found)
        #expect(match.key == "external")
    }

    @Test func `what a known account and its people get besides is told too`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts(
            "A1,Hôtel des Voyageurs,404833048,,,\"1, rue A\",35000,RENNES,02 99 00 00 01")
        let again = try bench.write(
            "id,name,siren,phone,email,city\nA1,Hôtel des Voyageurs,404833048,02 99 00 00 02,a@b.fr,RENNES\n",
            "c.csv")
        let record = try #require(try await bench.preview([again]).outcomes.first)
        #expect(record.outcome == .updated)
        #expect(record.decision?.after?.text == #"{"email":"a@b.fr","phone":"02 99 00 00 02"}"#)
        #expect(record.decision?.before?.text == "{}")
    }

    @Test func `a client that nobody knows is left to a person, who decides once`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts("A1,Hôtel des Voyageurs,404833048,,,\"1, rue A\",35000,RENNES,")
        let text = try String(
            contentsOfFile: Self.samples + "/factures/facture-client-inconnu.xml", encoding: .utf8)
        let file = try bench.write(text.replacing("FA-2026-0105", with: "X-1"), "x1.xml")
        #expect(try await bench.run([file]).ledger == RunLedger(quarantined: 1))
        let cases = try await bench.pool.withConnection { try await MatchCases.list(on: $0) }
        #expect(cases.map(\.records) == [1])
        let id = try #require(cases.first?.id)
        let account = try await bench.numbers("select id from party where name like 'Hôtel%'")[0]
        let freed = try await bench.pool.withConnection {
            try await MatchCases.decide(id, account: account, on: $0)
        }
        #expect(freed == 1)
        let replay = try await bench.replay(QuarantineFilter(code: "MATCH-NONE"))
        #expect(replay.ledger == RunLedger(inserted: 1))
        // The next one goes there by itself.
        let next = try bench.write(text.replacing("FA-2026-0105", with: "X-2"), "x2.xml")
        #expect(try await bench.run([next]).ledger == RunLedger(inserted: 1))
        #expect(try await bench.numbers("select distinct party_id from sales_doc") == [account])
        #expect(try await bench.pool.withConnection { try await MatchCases.list(on: $0) }.isEmpty)
    }
}
