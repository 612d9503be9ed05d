// SPDX-License-Identifier: Apache-2.0
// Broken tables of invoices: each fault is named with its line, and the rows around it are read.

import Diagnostics
import Mapping
import Model
import Tabular
import Testing

@Suite struct BadTableTests {
    private static let header =
        "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;Devise;MontantHT;MontantTVA;"
        + "MontantTTC;Statut"

    private func row(
        _ number: String, date: String = "31/01/2026", gross: String = "120,00", name: String = "Durand"
    ) -> String {
        "\(number);\(date);;C1;\(name);;;EUR;;;\(gross);payée"
    }

    /// What was read of a file: numbers of right records, faults as `line code field value`, and what ended it.
    private struct Outcome {
        var right: [String] = []
        var faults: [String] = []
        var end: Diagnostic?
        var fileFindings: [Diagnostic] = []
    }

    private func read(_ lines: [String]) throws -> Outcome {
        try read(Array((lines.joined(separator: "\n") + "\n").utf8))
    }

    private func read(_ bytes: [UInt8]) throws -> Outcome {
        var outcome = Outcome()
        func look(_ item: inout MappedItem) {
            if item.isApplicable { outcome.right.append(item.record.text("number") ?? "?") }
            for finding in item.findings where finding.severity == .error {
                let place = finding.place
                outcome.faults.append(
                    "\(place.line ?? 0) \(finding.code) \(place.field ?? "–") \(place.value ?? "–")")
            }
        }
        do {
            var probe = EncodingProbe()
            probe.feed(bytes)
            probe.finish()
            var reader = try MappingReader(try MappingLibrary.shipped().mapping("factures-csv"), probe: probe)
            var rest = bytes[...]
            while !rest.isEmpty {
                try reader.feed(Array(rest.prefix(256 << 10)), look)
                rest = rest.dropFirst(256 << 10)
            }
            try reader.finish(look)
            outcome.fileFindings = reader.fileFindings
        } catch {
            outcome.end = (error as? any ReportableError)?.diagnostic
        }
        return outcome
    }

    @Test func `amounts of three locales in one column: the right ones are read, the others named`() throws {
        let outcome = try read([
            Self.header, row("A", gross: "1 234,50"), row("B", gross: "1,234.50"),
            row("C", gross: "1.234,50"),
            row("D", gross: "1234,50"), row("E", gross: "1234.50"),
        ])
        #expect(outcome.right == ["A", "D"])
        #expect(
            outcome.faults == [
                "3 FIELD-NOT-DECIMAL gross_total 1,234.50", "4 FIELD-NOT-DECIMAL gross_total 1.234,50",
                "6 FIELD-NOT-DECIMAL gross_total 1234.50",
            ])
    }

    @Test func `dates of another form and days that do not exist are named, never guessed`() throws {
        let outcome = try read([
            Self.header, row("A", date: "02/03/2026"), row("B", date: "12/31/2026"),
            row("C", date: "30/02/2026"), row("D", date: "02/03/26"), row("E", date: "2026-03-02"),
        ])
        #expect(outcome.right == ["A", "E"])
        #expect(
            outcome.faults == [
                "3 FIELD-NOT-DATE issue_date 12/31/2026", "4 FIELD-NOT-DATE issue_date 30/02/2026",
                "5 FIELD-NOT-DATE issue_date 02/03/26",
            ])
    }

    @Test func `a row with other columns is named, the rows around it are read`() throws {
        let outcome = try read([Self.header, row("A"), "B;2", row("C") + ";;x", row("D")])
        #expect(outcome.right == ["A", "D"])
        #expect(
            outcome.faults.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
                == ["3 CSV-RAGGED", "4 CSV-RAGGED"])
    }

    @Test func `ten thousand columns are read, twenty thousand refused`() throws {
        let more = (1...10_000).map { ";x\($0)" }.joined()
        let wide = try read([Self.header + more, row("A") + String(repeating: ";", count: 10_000)])
        #expect(wide.right == ["A"])
        #expect(wide.end == nil)
        let wider = try read([Self.header + more + more, row("A")])
        #expect(wider.end?.code == "CSV-FIELDS")
        #expect(wider.end?.place.line == 1)
    }

    @Test func `a line beyond the limits ends the file behind the rows before it`() throws {
        let bytes = Array((Self.header + "\n" + row("A") + "\n").utf8)
        let long = try read(bytes + [UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20) + [10])
        #expect(long.right == ["A"])
        #expect(long.end?.code == "CSV-FIELD")
        #expect(long.end?.place.line == 3)
        let quoted = try read(bytes + Array("\"B;".utf8) + [UInt8](repeating: 10, count: 4 << 20))
        #expect(quoted.right == ["A"])
        #expect(quoted.end?.code == "CSV-OPEN-QUOTE")
        #expect(quoted.end?.place.line == 3, "where the quote was opened")
    }

    @Test func `a byte order mark inside a file is told and is no part of a value`() throws {
        let outcome = try read([Self.header, row("A"), "\u{FEFF}" + row("B"), row("C")])
        #expect(outcome.right == ["A", "B", "C"])
        #expect(outcome.fileFindings.map(\.code) == ["CSV-STRAY-MARK"])
        #expect(outcome.fileFindings.first?.place.line == 3)
    }

    @Test func `zero bytes and lines of two encodings refuse the file with their place`() throws {
        let zero = try read(Array((Self.header + "\n" + row("A\u{0}")).utf8))
        #expect(zero.end?.code == "CSV-NUL")
        #expect(zero.end?.place.line == 2)
        let mixed = try read(
            Array((Self.header + "\n" + row("A", name: "Élan") + "\nB;31/01/2026;;C1;").utf8) + [0xC9]
                + Array("lan;;;EUR;;;1,00;ouvert\n".utf8))
        #expect(mixed.end?.code == "CSV-MIXED-ENCODINGS")
        #expect(mixed.end?.place.line == 3)
    }
}
