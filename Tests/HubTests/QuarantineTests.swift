// SPDX-License-Identifier: Apache-2.0
// Records that wait: corrected down to their lines, put back, set aside for good; files refused as a whole.

import CRM
import Diagnostics
import Foundation
import Hub
import Mapping
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct QuarantineTests {
    private let linesHeader =
        "NumFacture;DateFacture;CodeClient;RaisonSociale;MontantHT;MontantTVA;MontantTTC;NumLigne;Designation;Qte;PrixUnitaire;LigneHT;TauxTVA\n"

    private func line(_ invoice: Int, _ number: Int, net: String = "50,00", quantity: String = "5") -> String
    {
        "FL-\(invoice);05/02/2026;N1;Neuf;100,00;20,00;120,00;\(number);Câble;\(quantity);10,00;\(net);20"
    }

    /// Twenty good invoices of two lines, and those given.
    private func write(_ rows: [String], to bench: Workbench) throws -> String {
        let good = (0..<20).flatMap { [line($0, 1), line($0, 2)] }
        return try bench.write(linesHeader + (rows + good).joined(separator: "\n") + "\n", "lignes.csv")
    }

    private func reason(_ body: () async throws -> Void) async -> Diagnostic? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? any ReportableError)?.diagnostic
        }
    }

    @Test func `a field of one line, or of each line that lacks it, can be given`() async throws {
        let bench = try await Workbench()
        let file = try write(
            [
                line(90, 1), line(90, 2, net: "cinquante"),
                line(91, 1, net: "x", quantity: "y"), line(91, 2, net: "z"),
            ], to: bench)
        #expect(try await bench.run([file]).ledger == RunLedger(inserted: 20, quarantined: 2))
        let ids = try await bench.numbers("select id from quarantine order by ordinal")
        let first = QuarantineFilter(ids: [ids[0]])
        let second = QuarantineFilter(ids: [ids[1]])
        #expect(try await bench.correct(first, ["lines[2].net": "50,00"]) == 1)
        #expect(try await bench.replay(first).ledger == RunLedger(inserted: 1))
        #expect(try await bench.correct(second, ["lines.net": "50"]) == 1)
        let partly = try await bench.replay(second)
        #expect(partly.ledger == RunLedger(quarantined: 1))
        #expect(
            try await bench.texts("select code || field from quarantine where status = 'open'") == [
                "FIELD-NOT-DECIMALlines.qty"
            ])
        #expect(try await bench.correct(second, ["lines[1].qty": "5"]) == 1)
        #expect(try await bench.replay(second).ledger == RunLedger(inserted: 1))
        let stored = try await bench.texts(
            """
            select d.number || ' ' || string_agg(trim_scale(l.qty) || '×' || trim_scale(l.net), ' ' order by l.no)
            from sales_doc d join sales_doc_line l on l.doc_id = d.id where d.number >= 'FL-90' group by d.number order by 1
            """)
        #expect(stored == ["FL-90 5×50 5×50", "FL-91 5×50 5×50"])
    }

    @Test func `a correction that cannot be is refused with what could be meant, or waits with its reason`()
        async throws
    {
        let bench = try await Workbench()
        let file = try write([line(90, 1), line(90, 2, net: "cinquante")], to: bench)
        _ = try await bench.run([file])
        let all = QuarantineFilter()
        let field = await reason { _ = try await bench.correct(all, ["lines.nett": "1"]) }
        #expect(field?.code == "OVERRIDE-FIELD")
        #expect(field?.facts["suggestion"] == "lines.net")
        let word = await reason { _ = try await bench.correct(all, ["kind": "invoce"]) }
        #expect(word?.code == "OVERRIDE-WORD")
        #expect(word?.facts["suggestion"] == "invoice")
        let value = await reason { _ = try await bench.correct(all, ["lines.net": "un"]) }
        #expect(value?.code == "OVERRIDE-VALUE")
        #expect(
            await reason { _ = try await bench.correct(all, ["lines[0].net": "1"]) }?.code == "OVERRIDE-FIELD"
        )
        #expect(try await bench.correct(all, ["lines[3].net": "50"]) == 1)
        #expect(try await bench.replay(all).ledger == RunLedger(quarantined: 1))
        let row = try await bench.texts("select code || (facts->>'row') || (facts->>'count') from quarantine")
        #expect(row == ["OVERRIDE-ROW32"])
        let taken = try await bench.pool.withConnection { try await Quarantine.reset(all, on: $0) }
        #expect(taken == 1)
        #expect(try await bench.texts("select status || overrides from quarantine") == ["open{}"])
    }

    @Test func `what a person set aside stays so when its file comes again`() async throws {
        let bench = try await Workbench()
        let file = try write([line(90, 1), line(90, 2, net: "cinquante")], to: bench)
        _ = try await bench.run([file])
        let count = try await bench.pool.withConnection {
            try await Quarantine.ignore(QuarantineFilter(), why: "doublon", on: $0)
        }
        #expect(count == 1)
        let left = RunLedger(unchanged: 20, skipped: 1)
        #expect(try await bench.preview([file]).ledger == left)
        #expect(try await bench.run([file]).ledger == left)
        #expect(try await bench.texts("select status from quarantine") == ["ignored"])
    }

    @Test func `a file refused as a whole is imported again from its kept bytes`() async throws {
        let bench = try await Workbench()
        let rows = (0..<10).map { "F\($0);\($0 < 6 ? "2026.02.01" : "01/02/2026");;N1;Neuf;;;10;2;12;EUR;" }
        let file = try bench.invoices(rows)
        #expect(try await bench.preview([file]).ledger == RunLedger(quarantined: 1))
        let report = try await bench.run([file])
        #expect(report.files[0].refusal?.code == "LIMIT-ERRORS")
        try FileManager.default.removeItem(atPath: file)
        let all = QuarantineFilter()
        let again = try await bench.replay(all)
        #expect(again.ledger == RunLedger(quarantined: 1))
        #expect(try await bench.texts("select status from quarantine") == ["open"])
        let text = try String(
            contentsOf: Repository.root.appending(path: "Mappings/erp/factures-csv.yaml"), encoding: .utf8)
        let wider = text.replacing("dd/MM/yyyy,", with: "dd/MM/yyyy, yyyy.MM.dd,")
        #expect(wider != text)
        let mapping = try MappingDefinition.parse(wider, file: "mien.yaml")
        let mended = try await bench.replay(all, own: mapping)
        #expect(mended.ledger == RunLedger(inserted: 10))
        #expect(try await bench.texts("select status from quarantine") == ["replayed"])
        #expect(try await bench.replay(all).run == nil)
        try await bench.undo(try #require(mended.run))
        #expect(try await bench.texts("select status from quarantine") == ["open"])
        #expect(try await bench.numbers("select count(*) from sales_doc") == [0])
    }
}
