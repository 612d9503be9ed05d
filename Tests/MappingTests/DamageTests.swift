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

    private func read(_ definition: MappingDefinition, _ bytes: [UInt8], name: String, step: Int) {
        var probe = EncodingProbe()
        probe.feed(bytes)
        probe.finish()
        guard var reader = try? MappingReader(definition, probe: probe, fileName: name) else { return }
        var rest = bytes[...]
        var values = 0
        func look(_ item: inout MappedItem) { values += item.record.values.count + item.record.allRows.count }
        do {
            while !rest.isEmpty {
                try reader.feed(Array(rest.prefix(step)), look)
                rest = rest.dropFirst(step)
            }
            try reader.finish(look)
        } catch {
            #expect(error is any ReportableError, "\(error)")
        }
    }

    @Test func `every mapping survives damaged samples, at any border`() throws {
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
                if let own { read(own, damaged, name: name, step: step) }
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
