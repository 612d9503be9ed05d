// SPDX-License-Identifier: Apache-2.0
// Rows of one record that do not stand together: anywhere in a file, and in two files.

import Diagnostics
import Mapping
import Model
import Tabular
import Testing

@Suite struct StagedRowsTests {
    private func mapping(_ source: String, checks: String = "") throws -> MappingDefinition {
        try MappingDefinition.parse(
            """
            mapping: t
            version: 1
            target: invoice
            source:
              kind: csv
              encoding: [utf-8, windows-1252, utf-16]
              dialect: {delimiter: [";", ","]}
              locale: fr
            \(source)
            fields:
              kind: {const: invoice}
              number: {col: Num, required: true}
              issue_date: {const: '2026-01-01'}
              currency: {const: EUR}
              gross_total: {col: TTC, required: true}
              lines: {fields: {label: {col: Libelle}, net: {col: HT}}}
            \(checks)
            """, file: "t.yaml")
    }

    private let staged = "  group_by: [Num]\n  group: staged"
    private let paired =
        "  filename: '^(?<lot>.*)_entetes\\.csv$'\n  detail: {file: '{lot}_lignes.csv', key: [Num]}"

    /// Everything that is read, a line for each record: number, child rows with label and amount, faults.
    private func read(
        _ definition: MappingDefinition, _ bytes: [UInt8], detail: [UInt8]? = nil, step: Int = .max
    ) throws -> [String] {
        func probe(_ bytes: [UInt8]) -> EncodingProbe {
            var probe = EncodingProbe()
            probe.feed(bytes)
            probe.finish()
            return probe
        }
        func pieces(_ bytes: [UInt8], _ body: ([UInt8]) throws -> Void) rethrows {
            var rest = bytes[...]
            while !rest.isEmpty {
                try body(Array(rest.prefix(step)))
                rest = rest.dropFirst(step)
            }
        }
        var reader = try MappingReader(
            definition, probe: probe(bytes), fileName: "mars_entetes.csv", detail: detail.map(probe))
        var found: [String] = []
        func note(_ item: inout MappedItem) {
            let lines = item.record.schema.collection("lines") ?? 0
            let rows = item.record.rows(lines).map { row in
                row.compactMap { $0?.description }.joined(separator: " ")
            }
            let faults = item.findings.map { finding in
                [finding.place.file, finding.place.line.map(String.init), finding.code].compactMap(\.self)
                    .joined(separator: ":")
            }
            found.append(
                ([item.record["number"]?.description ?? "–"] + rows + faults).joined(separator: " | "))
        }
        try pieces(bytes) { try reader.feed($0, note) }
        if let detail {
            try reader.finishFirst()
            try pieces(detail) { try reader.feedDetail($0) }
            try reader.feedDetail([], isLast: true)
        }
        try reader.finish(note)
        #expect(reader.fileFindings.isEmpty)
        return found
    }

    @Test(arguments: [1, 7, Int.max])
    func `rows of a key make one record wherever they stand`(step: Int) throws {
        let text =
            "Num;TTC;Libelle;HT\nB;24;\"Vis; \"\"M4\"\"\";20\nA;12;Écrou;10\nB;24;trop;4;5\nA;12;Clou\r\n;1;x;1\n"
        let found = try read(try mapping(staged), Array(text.utf8), step: step)
        // A row of another width makes its whole record faulty, and no other.
        #expect(found == ["– | 4:CSV-RAGGED", "– | 5:CSV-RAGGED", "– | x 1 | 6:FIELD-REQUIRED"])
        let good = "Num;TTC;Libelle;HT\nB;24;\"Vis; \"\"M4\"\"\";20\nA;12;Écrou;10\nB;24;Clou;4\n"
        #expect(
            try read(try mapping(staged), Array(good.utf8), step: step) == [
                "B | Vis; \"M4\" 20 | Clou 4", "A | Écrou 10",
            ])
        let wide = good.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(
            try read(try mapping(staged), [0xFF, 0xFE] + wide, step: step) == [
                "B | Vis; \"M4\" 20 | Clou 4", "A | Écrou 10",
            ])
    }

    @Test func `a blank key continues the record of the row before, put aside or not`() throws {
        let text = "Num,TTC,Libelle,HT\nB,24,Vis,20\n,,Clou,4\nA,12,Ecrou,10\n,,Joint,2\n"
        let source = "  group_by: {columns: [Num], blank: continues}\n"
        let expected = ["B | Vis 20 | Clou 4", "A | Ecrou 10 | Joint 2"]
        #expect(try read(try mapping(source), Array(text.utf8)) == expected)
        #expect(try read(try mapping(source + "  group: staged"), Array(text.utf8)) == expected)
    }

    @Test func `rows of one record that contradict each other about it are noticed`() throws {
        let text = "Num,TTC,Libelle,HT\nA,12,Vis,10\nA,13,Clou,2\nA,,Joint,0\nB,1,x,1\nB,1,y,0\n"
        #expect(
            try read(try mapping("  group_by: [Num]"), Array(text.utf8)) == [
                "A | Vis 10 | Clou 2 | Joint 0 | 3:CSV-GROUP-DIFFERS", "B | x 1 | y 0",
            ])
    }

    @Test func `rows without a key have nothing in common, and join nobody`() throws {
        let text = "Num,TTC,Libelle,HT\n,9,a,9\nB,24,b,20\n,8,c,8\nA,12,d,10\nB,24,e,4\n"
        let found = try read(try mapping(staged), Array(text.utf8))
        #expect(
            found == [
                "– | a 9 | 2:FIELD-REQUIRED", "B | b 20 | e 4", "– | c 8 | 4:FIELD-REQUIRED", "A | d 10",
            ])
        let source = "  group_by: {columns: [Num], blank: continues}\n  group: staged"
        #expect(
            try read(try mapping(source), Array(text.utf8)) == [
                "– | a 9 | 2:FIELD-REQUIRED",
                "B | b 20 | c 8 | e 4 | 4:CSV-GROUP-DIFFERS", "A | d 10",
            ])
    }

    @Test func `a first file without a row, and a key that comes three times`() throws {
        #expect(throws: (any Error).self) {
            try read(try mapping(paired), Array("\n\n".utf8), detail: Array("Num;Libelle;HT\nA;x;1\n".utf8))
        }
        let rows = Array("Num;Libelle;HT\nA;x;1\nA;y;2\n".utf8)
        #expect(
            try read(try mapping(paired), Array("Num;TTC\nA;1\nA;2\nA;3\n".utf8), detail: rows) == [
                "A | x 1 | y 2", "– | 3:CSV-REPEATED-KEY", "– | 4:CSV-REPEATED-KEY",
            ])
    }

    @Test func `accents written in two ways are one key`() throws {
        let text = "Num;TTC;Libelle;HT\n\u{E9};1;a;1\ne\u{301};1;b;2\n"
        #expect(try read(try mapping(staged), Array(text.utf8)) == ["\u{E9} | a 1 | b 2"])
    }

    @Test func `more rows than memory holds come from a file, each with its own`() throws {
        let label = String(repeating: "x", count: 5000)
        var text = "Num;TTC;Libelle;HT\n"
        for line in 1...2 {
            for number in 0..<1500 { text += "F\(number * 7 % 1500);1;\(label);\(line)\n" }
        }
        let found = try read(try mapping(staged), Array(text.utf8), step: 256 << 10)
        #expect(found.count == 1500)
        #expect(Set(found).count == 1500)
        #expect(found.allSatisfy { $0.hasSuffix("| \(label) 1 | \(label) 2") })
    }

    @Test(arguments: [20, 64, Int.max])
    func `two files are read as one`(step: Int) throws {
        let headers = "Num;TTC\nA;12\nB;24\nB;25\nC;x\n"
        let rows = "Libelle,Num,HT\n\"Vis, plate\",B,20\nÉcrou,A,10\nPerdu,Z,1\nClou,B,4x\n"
        let latin = Array(rows.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
        #expect(
            try read(try mapping(paired), Array(headers.utf8), detail: latin, step: step) == [
                "A | Écrou 10", "B | Vis, plate 20 | Clou | mars_lignes.csv:5:FIELD-NOT-DECIMAL",
                "– | 4:CSV-REPEATED-KEY", "C | 5:FIELD-NOT-DECIMAL",
                "– | mars_lignes.csv:4:CSV-ORPHAN-DETAIL",
            ])
    }

    @Test func `the second file must have the key's column`() throws {
        #expect(throws: TabularError.self) {
            try read(try mapping(paired), Array("Num;TTC\nA;1\n".utf8), detail: Array("N;HT\nA;1\n".utf8))
        }
    }

    @Test func `totals of two files are those of the first`() throws {
        let checks = "file_checks:\n  - {id: SUM, expect: sum(all.TTC) = 36 and count(all.TTC) = 2}"
        let definition = try mapping(paired, checks: checks)
        let orphan = try read(
            definition, Array("Num;TTC\nA;12\nB;24\n".utf8),
            detail: Array("Num;HT;Libelle\nZ;1000;y\n".utf8))
        #expect(orphan.last == "– | mars_lignes.csv:2:CSV-ORPHAN-DETAIL")
        let found = try read(
            definition, Array("Num;TTC\nA;12\nB;24\n".utf8),
            detail: Array("Num;Libelle;HT\nA;x;1\nA;y;2\n".utf8))
        #expect(found == ["A | x 1 | y 2", "B"])
    }

    @Test func `what cannot be is refused where it stands`() throws {
        func faults(_ source: String) -> [String] {
            do {
                _ = try mapping(source)
                return []
            } catch let error as MappingFaults {
                return error.faults.map { "\($0.code) \($0.place.line ?? 0)" }
            } catch { return ["\(error)"] }
        }
        #expect(faults("  detail: {file: '{lot}.csv', key: [Num]}") == ["MAP-VARIABLE-UNKNOWN 9"])
        #expect(faults("  detail: {file: lignes.csv}").first == "MAP-KEY-MISSING 9")
        #expect(faults("  group_by: [Num]\n  group: stagd") == ["MAP-VALUE-UNKNOWN 10"])
        #expect(faults(staged + "\n  detail: {file: l.csv, key: [Num]}") == ["MAP-SOURCE-CONFLICT 11"])
        let named = try mapping(paired)
        #expect(try named.detailName(besides: "lot 7_entetes.csv") == "lot 7_lignes.csv")
        #expect(throws: MappingError.self) { try named.detailName(besides: "autre.csv") }
    }
}
