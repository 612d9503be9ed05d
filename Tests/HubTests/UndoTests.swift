// SPDX-License-Identifier: Apache-2.0
// Runs taken back: what comes back, what is kept, what is blocked; and quarantine replayed.

import CRM
import Diagnostics
import Foundation
import Hub
import Mapping
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct UndoTests {
    private let one =
        "A1,Maçonnerie Dupré,404833048,40483304800022,FR83404833048,\"1, rue A\",35000,RENNES,02 99 00 00 01"

    private func invoice(_ number: String, _ gross: String, client: String = "N1;Neuf;732829320") -> String {
        "\(number);01/02/2026;28/02/2026;\(client);;;;\(gross);EUR;"
    }

    /// Ten good invoices, so that a bad one is within the mapping's limit.
    private var many: [String] { (10..<20).map { invoice("M\($0)", "\($0)") } }

    @Test func `an import taken back leaves what was there before, and comes back by a second undo`()
        async throws
    {
        let bench = try await Workbench()
        _ = try await bench.accounts(one)
        _ = try await bench.run([try bench.invoices([invoice("F1", "12"), invoice("F2", "24")])])
        let before = try await bench.content()
        let changed = one.replacing("Dupré", with: "Durand").replacing("RENNES", with: "BREST")
        _ = try await bench.accounts(changed, "B1,Bis,732829320,73282932000074,,,29200,BREST,02 98 00 00 01")
        let invoices = try await bench.run([
            try bench.invoices(
                [invoice("F2", "30"), invoice("F3", "36", client: "N9;Autre;552100554")], name: "b.csv")
        ])
        let after = try await bench.content()
        #expect(after != before)
        let dry = try await bench.undo(invoices.run, isDryRun: true)
        #expect(dry.count("delete") == 4)
        #expect(try await bench.content() == after)
        let undo = try await bench.undo(invoices.run)
        #expect(undo.exceptions.isEmpty)
        let accounts = try await bench.undo(3)
        #expect(accounts.exceptions.isEmpty)
        #expect(try await bench.content() == before)
        // Undone undos, the last first.
        try await bench.undo(try #require(accounts.run))
        try await bench.undo(try #require(undo.run))
        #expect(try await bench.content() == after)
        // And once more.
        try await bench.undo(invoices.run)
        try await bench.undo(3)
        #expect(try await bench.content() == before)
    }

    @Test func `what somebody changed since is kept, and what something refers to is blocked`() async throws {
        let bench = try await Workbench()
        let first = try await bench.run([
            try bench.invoices([invoice("F1", "12"), invoice("F2", "24", client: "N2;Deux;552100554")])
        ])
        // A later run changes F1, and gives the second client another invoice.
        _ = try await bench.run([
            try bench.invoices(
                [invoice("F1", "15"), invoice("F9", "9", client: "N2;Deux;552100554")], name: "b.csv")
        ])
        let report = try await bench.undo(first.run)
        let reasons = report.exceptions.map { "\($0.entity) \($0.outcome) \($0.reason)" }.sorted()
        #expect(reasons.filter { $0.hasPrefix("sales_doc") } == ["sales_doc kept changed-by-run"])
        #expect(reasons.filter { $0.hasPrefix("party") }.count == 2)
        #expect(try await bench.texts("select number from sales_doc order by 1") == ["F1", "F9"])
        let stored = try await bench.texts(
            "select distinct outcome from undo_exception where run_id = \(report.run ?? 0) order by 1")
        #expect(stored == ["blocked", "kept"])
        let ledger = try await bench.numbers("select deleted from run where id = \(report.run ?? 0)")
        #expect(ledger == [1])
    }

    @Test func `an edit by a person is never taken back`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts(one)
        _ = try await bench.accounts(one.replacing("RENNES", with: "BREST"))
        _ = try await bench.numbers("update site set city = 'QUIMPER', version = version + 1 returning 1")
        let report = try await bench.undo(2)
        #expect(report.exceptions.map(\.reason) == ["edited"])
        #expect(try await bench.texts("select city from site") == ["QUIMPER"])
    }

    @Test func `a run is taken back once`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts(one)
        try await bench.undo(1)
        let error = await #expect(throws: RunError.self) { try await bench.undo(1) }
        #expect(error?.has(.undone) == true)
        let unknown = await #expect(throws: RunError.self) { try await bench.undo(77) }
        #expect(unknown?.has(.unknown) == true)
        // The same file may come again.
        #expect(try await bench.accounts(one) == RunLedger(inserted: 1))
    }

    @Test func `an account that came again is not brought back beside itself`() async throws {
        let bench = try await Workbench()
        let plain = "A7,Sans numéro,,,,\"1, rue A\",35000,RENNES,"
        _ = try await bench.accounts(plain)
        let undo = try await bench.undo(1)
        _ = try await bench.accounts(plain, name: "encore.csv")
        let again = try await bench.undo(try #require(undo.run))
        #expect(Set(again.exceptions.map(\.reason)).contains("exists"))
        #expect(try await bench.numbers("select count(*) from party where name = 'Sans numéro'") == [1])
        #expect(try await bench.numbers("select count(*) from site") == [1])
    }

    @Test func `a number that another site has now stays there`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts(one)
        let moved = one.replacing("40483304800022", with: "40483304800030").replacing("RENNES", with: "BREST")
        _ = try await bench.accounts(moved, name: "b.csv")
        let sites = "select siret || ' ' || city from site order by 1"
        #expect(try await bench.texts(sites) == ["40483304800030 BREST"])
        let other = one.replacing("A1,", with: "A2,").replacing("RENNES", with: "LORIENT")
        #expect(try await bench.accounts(other, name: "c.csv") == RunLedger(inserted: 1))
        let report = try await bench.undo(2)
        #expect(report.exceptions.filter { $0.entity == "site" }.map(\.reason) == ["exists"])
        #expect(try await bench.texts(sites) == ["40483304800022 LORIENT", "40483304800030 BREST"])
    }

    @Test func `corrected records are replayed once, and an undo puts them back in quarantine`() async throws
    {
        let bench = try await Workbench()
        let bad = "F1;31/31/2026;;N1;Neuf;732829320;;10;2;12;EUR;"
        let wrongTotal = "F3;01/02/2026;;N1;Neuf;732829320;;10;2;13;EUR;"
        _ = try await bench.run([try bench.invoices([bad, wrongTotal] + many)])
        #expect(try await bench.numbers("select count(*) from sales_doc") == [10])
        let filter = QuarantineFilter(code: "FIELD-NOT-DATE")
        await #expect(throws: (any Error).self) {
            _ = try await bench.correct(filter, ["issue_dat": "2026-01-31"])
        }
        await #expect(throws: (any Error).self) {
            _ = try await bench.correct(filter, ["issue_date": "31/31/2026"])
        }
        #expect(try await bench.correct(filter, ["issue_date": "31/01/2026"]) == 1)
        let replay = try await bench.replay(filter)
        #expect(replay.ledger == RunLedger(inserted: 1))
        #expect(replay.mappings == ["factures-csv@1"])
        #expect(try await bench.replay(filter).run == nil)
        #expect(
            try await bench.texts("select issued_on::text from sales_doc where number = 'F1'") == [
                "2026-01-31"
            ])
        try await bench.undo(try #require(replay.run))
        #expect(
            try await bench.texts("select status from quarantine where code = 'FIELD-NOT-DATE'") == ["fixed"])
        #expect(try await bench.replay(filter).ledger == RunLedger(inserted: 1))
        // What is still wrong stays, with its reason.
        let wrong = try await bench.replay(QuarantineFilter(code: "TOTAL"))
        #expect(wrong.ledger == RunLedger(quarantined: 1))
        #expect(try await bench.texts("select status from quarantine where code = 'TOTAL'") == ["open"])
    }

    @Test func `a replay never overwrites what came later`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([
            try bench.invoices(["F1;31/31/2026;;N1;Neuf;732829320;;10;2;12;EUR;"] + many)
        ])
        _ = try await bench.run([try bench.invoices([invoice("F1", "99")], name: "b.csv")])
        let filter = QuarantineFilter(code: "FIELD-NOT-DATE")
        _ = try await bench.correct(filter, ["issue_date": "2026-02-01"])
        #expect(try await bench.replay(filter).ledger == RunLedger(quarantined: 1))
        #expect(
            try await bench.texts("select gross_total::text from sales_doc where number = 'F1'") == ["99"])
        #expect(try await bench.texts("select code from quarantine") == ["REPLAY-OLDER"])
    }

    @Test func `an account that somebody has added to since is not taken away`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts(one)
        _ = try await bench.numbers(
            "insert into contact_point (party_id, kind, value_norm, value) select id, 'email', 'a@b.example', 'a@b.example' from party returning 1"
        )
        let report = try await bench.undo(1)
        #expect(report.exceptions.contains { $0.entity == "party" && $0.reason == "referred-to" })
        #expect(try await bench.numbers("select count(*) from party") == [1])
        #expect(
            try await bench.texts("select value_norm from contact_point where kind = 'email'") == [
                "a@b.example"
            ])
    }

    @Test func `a known invoice may go to a client that is new`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([try bench.invoices([invoice("F1", "12")])])
        let moved = try bench.invoices([invoice("F1", "12", client: "N2;Deux;552100554")], name: "b.csv")
        #expect(try await bench.preview([moved]).ledger == RunLedger(updated: 1))
        let run = try await bench.run([moved])
        #expect(run.ledger == RunLedger(updated: 1))
        let client = "select p.name from sales_doc d join party p on p.id = d.party_id"
        #expect(try await bench.texts(client) == ["Deux"])
        #expect(
            try await bench.run([
                try bench.invoices(
                    [invoice("F1", "12", client: "N2;Deux;552100554"), invoice("F2", "1")], name: "c.csv")
            ]).ledger == RunLedger(inserted: 1, unchanged: 1))
        try await bench.undo(run.run)
        #expect(try await bench.texts(client + " where number = 'F1'") == ["Neuf"])
    }

    @Test func `one new client under two descriptions of a file is one`() async throws {
        let bench = try await Workbench()
        let rows = [
            invoice("F1", "12", client: "N1;Neuf;732829320"), invoice("F2", "24", client: "N1;Neuf;"),
        ]
        _ = try await bench.run([try bench.invoices(rows)])
        #expect(try await bench.numbers("select count(*) from party where status = 'client'") == [1])
        let again = try await bench.run([try bench.invoices(rows + [invoice("F3", "1")], name: "b.csv")])
        #expect(again.ledger == RunLedger(inserted: 1, unchanged: 2))
    }

    @Test func `records that contradict one another are not replayed together`() async throws {
        let bench = try await Workbench()
        let rows = (0..<9).map { "M\($0),Client \($0),,,,,,," }
        _ = try await bench.accounts((rows + ["Z1,Un,,,,,,,", "Z1,Deux,,,,,,,"]).joined(separator: "\n"))
        let replay = try await bench.replay(QuarantineFilter(code: "KEY-CONFLICT"))
        #expect(replay.ledger == RunLedger(quarantined: 2))
        let first = try await bench.numbers("select min(id) from quarantine")[0]
        #expect(try await bench.replay(QuarantineFilter(ids: [first])).ledger == RunLedger(inserted: 1))
        #expect(try await bench.texts("select name from party where name in ('Un', 'Deux')") == ["Un"])
    }

    @Test func `a replayed ledger entry takes no other entry's place`() async throws {
        let bench = try await Workbench()
        let header =
            "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\tPieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise\n"
        func entry(_ number: Int, _ date: String, _ debit: String, _ credit: String = "0,00") -> String {
            "VE\tVentes\t\(number)\t\(date)\t41100000\tClients\tC1\tUn\tFA-1\t20260105\tx\t\(debit)\t\(credit)\t\t\t20260131\t\t\n"
        }
        let rest = (2..<130).map { entry($0, "20260105", "1,00", "1,00") }.joined()
        let text =
            header + entry(1, "20269905", "12,00") + entry(1, "20260105", "30,00")
            + entry(1, "20260105", "0,00", "42,00") + rest
        let run = try await bench.run([try bench.write(text, "fec.txt")])
        #expect(run.ledger.quarantined == 1)
        let filter = QuarantineFilter(run: run.run)
        _ = try await bench.correct(filter, ["date": "2026-01-05"])
        #expect(try await bench.replay(filter).ledger == RunLedger(inserted: 1))
        #expect(
            try await bench.texts(
                "select trim_scale(debit)::text from ledger_entry where entry_no = '1' order by debit desc")
                == ["30", "12", "0"])
    }
}
