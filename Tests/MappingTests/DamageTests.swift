// SPDX-License-Identifier: Apache-2.0
// Damaged files and damaged mappings: findings and errors, never a crash, whatever the bytes.

import Diagnostics
import Foundation
import Mapping
import Model
import RelaisTesting
import Tabular
import Testing

@Suite struct DamageTests {
    private static var rounds: Int { ProcessInfo.processInfo.environment["RELAIS_SOAK"] == "1" ? 400 : 8 }

    /// Bytes that mean something to some reader, which random bytes seldom hit.
    private static let telling: [UInt8] =
        Array("\"'<>&;,|\t\r\n#[]{}()0-9.\u{0}".utf8) + [0xFF, 0xFE, 0xEF, 0xBB, 0xC3, 0x80]

    private func damaged(_ bytes: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] = Self.telling.randomElement(using: &random) ?? 0
            case 2: bytes.remove(at: place)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            }
        }
        return bytes
    }

    /// Everything that reading gives: records with their findings, and the error at the end.
    private func read(
        _ definition: MappingDefinition, _ bytes: [UInt8], name: String, step: Int, takesShortWay: Bool
    ) -> [String] {
        var probe = EncodingProbe()
        probe.feed(bytes)
        probe.finish()
        let reader = try? MappingReader(
            definition, probe: probe, fileName: name, takesShortWay: takesShortWay)
        guard var reader else { return [] }
        var rest = bytes[...]
        var seen: [String] = []
        func look(_ item: inout MappedItem) {
            let findings = item.findings.map { finding in
                "\(finding.code) \(finding.place) \(finding.facts.sorted { $0.key < $1.key })"
            }
            seen.append("\(item.record.values) \(item.record.allRows) \(findings)")
        }
        do {
            while !rest.isEmpty {
                try reader.feed(Array(rest.prefix(step)), look)
                rest = rest.dropFirst(step)
            }
            try reader.finish(look)
        } catch {
            #expect(error is any ReportableError, "\(error)")
            seen.append("\(error)")
        }
        return seen
    }

    @Test func `every mapping survives damaged samples, at any border and by either way`() throws {
        let library = try MappingLibrary.shipped()
        let chooser = MappingChooser(library)
        var random = Seeded(2026_11_23)
        for file in Repository.files(["Mappings"], endings: ["xml", "csv", "txt"]) {
            let bytes = Array(try Data(contentsOf: file))
            let name = file.lastPathComponent
            let own = library.mappings[String(name.prefix { $0 != "_" })]
            for _ in 0..<Self.rounds {
                let damaged = damaged(bytes, &random)
                let step = Int.random(in: 1...700, using: &random)
                if let own {
                    let short = read(own, damaged, name: name, step: step, takesShortWay: true)
                    let long = read(own, damaged, name: name, step: step, takesShortWay: false)
                    #expect(short == long, "the short way of a field gave another result in \(name)")
                }
                var probe = EncodingProbe()
                probe.feed(damaged)
                probe.finish()
                let head = FileHead(name: name, bytes: Array(damaged.prefix(FileHead.size)), probe: probe)
                _ = try? chooser.choose(head)
                if var inference = try? TableInference(head) {
                    try? inference.feed(damaged, isLast: true)
                    _ = inference.draft(name: "x", target: nil, known: Array(library.mappings.values)) {
                        key, _ in key
                    }
                }
            }
        }
    }

    /// One column read as everything.
    private static let manifold = """
        mapping: manifold
        version: 1
        target: invoice
        source:
          kind: csv
          encoding: [utf-8, windows-1252]
          dialect: {delimiter: [";"], quote: '"', header: 1, columns: by-name, ragged: error}
          locale: fr
        fields:
          kind: {col: V, clean: [fold], enum: {a b: invoice, payee: credit_note}, else: null}
          number: {col: V, max: 12}
          issue_date: {col: V, format: [dd/MM/yyyy, yyyy-MM-dd]}
          due_date: {col: V, format: [yyyyMMdd], default: "20260131"}
          currency: {col: V, clean: [upper], default: EUR}
          order_ref: {col: V, clean: [squeeze], default: rien}
          contract_ref: {col: V, clean: [nospace, lower], take: 5}
          preceding_invoice: {first: [{col: W}, {col: V, take: 2}, {const: z}]}
          buyer.name: {first: [{col: W}, {col: V}], clean: [squeeze], max: 20, empty: clear}
          buyer.siren: {col: V, clean: [nospace], keep: '^\\d{9}$', valid: siren}
          buyer.siret: {first: [{col: V}, {col: W}], keep: '^\\d{14}$', valid: siret}
          buyer.gln: {col: V, keep: '^\\d{10}$'}
          buyer.vat: {col: V, clean: [nospace, upper], valid: vat}
          buyer.city: {first: []}
          net_total: {col: V}
          tax_total: {col: V, locale: en, default: "0"}
          gross_total: {col: V, locale: fec}
          payable: {col: V, locale: de, empty: keep, default: "1"}
          prepaid: {col: V, locale: overpunch, decimals: 2}
          billing_status: {when: number = 'a b', const: paid, else: open}
        """

    @Test func `the short way of a field gives what the long way gives, for every kind of text`() throws {
        let texts = [
            "", " ", "a b", "a  b", "A B", " a b ", "payée", "PAYÉE", "é", "\u{A0}x\u{A0}", "x\u{202F}y",
            "123456789", "732829320", "12345678A", "1234567890", "73282932000074", "35600000049837",
            "FR 44 732829320", "fr44732829320", "FR45732829320", "DE136695976", "31/01/2026", "31/02/2026",
            "2026-01-31", "2026-01-31Z", "20260131", "1 234,56", "1234,56", "-12", "+5", ",5", "5,", "-",
            "1,2,3",
            "1.234,56", "1,234.56", "000000000001437,12", "123456789012345678901", "12C", "1}", "eur", "EUR",
            "EURO", "ÉUR", "abcdefghijklm", String(repeating: "é", count: 12),
            String(repeating: "é", count: 30),
            "\"a \"\"b\"\"\"", "=1+1", "\u{FEFF}x",
        ]
        let definition = try MappingDefinition.parse(Self.manifold, file: "manifold.yaml")
        var rows = "V;W\n"
        for text in texts { for other in ["", " ", "w", "12345678900011"] { rows += "\(text);\(other)\n" } }
        for bytes in [
            Array(rows.utf8),
            rows.data(using: .windowsCP1252, allowLossyConversion: true).map(Array.init) ?? [],
        ] {
            let short = read(definition, bytes, name: "v.csv", step: 100, takesShortWay: true)
            let long = read(definition, bytes, name: "v.csv", step: 100, takesShortWay: false)
            #expect(short.count > 150)
            for (short, long) in zip(short, long) { #expect(short == long) }
            #expect(short.count == long.count)
        }
    }

    @Test func `rules whose order matters keep it on the short way`() throws {
        let definition = try MappingDefinition.parse(
            """
            mapping: ordered
            version: 1
            target: invoice
            source:
              kind: csv
              encoding: [utf-8]
              dialect: {delimiter: [";"], quote: '"', header: 1, columns: by-name, ragged: error}
              locale: fr
              group_by: [N]
            defs:
              party:
                name: {col: A, regex: '^(..)'}
            fields:
              kind: {const: invoice}
              number: {col: N, required: true}
              issue_date: {const: "2026-01-01"}
              currency: {const: EUR}
              gross_total: {const: "0"}
              seller: {use: party}
              seller.name: {col: B}
              lines:
                fields:
                  label: {when: sum(lines.net) > 100, const: A, else: B}
                  net: {col: Net}
            """, file: "ordered.yaml")
        let rows = "N;A;B;Net\n1;abc;x;150,00\n1;abc;x;20,00\n2;abc;x;1 5O\n"
        let short = read(definition, Array(rows.utf8), name: "o.csv", step: 100, takesShortWay: true)
        let long = read(definition, Array(rows.utf8), name: "o.csv", step: 100, takesShortWay: false)
        #expect(short == long)
        #expect(short.count == 2)
    }

    @Test func `the parser of mappings survives damaged mappings`() throws {
        var random = Seeded(2026_11_23)
        for file in try MappingLibrary.shipped().files.values.sorted(by: { $0.path < $1.path }) {
            let bytes = Array(try Data(contentsOf: file))
            for _ in 0..<Self.rounds {
                let text = String(decoding: damaged(bytes, &random), as: UTF8.self)
                do {
                    _ = try MappingDefinition.parse(text, file: "x.yaml")
                } catch {
                    #expect(!error.faults.isEmpty)
                }
            }
        }
    }

    @Test func `a mapping nested without end is refused`() {
        for text in [
            String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 50_000),
            "mapping: x\nversion: 1\ntarget: invoice\nsource: {kind: csv}\nfields: {}\nonly: "
                + String(repeating: "(", count: 100_000),
            "mapping: x\nversion: 1\ntarget: invoice\nsource: {kind: csv}\nfields: {}\nonly: "
                + String(repeating: "not ", count: 100_000),
        ] {
            #expect(throws: MappingFaults.self) { try MappingDefinition.parse(text, file: "x.yaml") }
        }
    }
}
