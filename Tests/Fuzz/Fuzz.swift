// SPDX-License-Identifier: Apache-2.0
// libFuzzer's entry: the first byte says which reader the rest is for. Built by `make fuzz` only.

internal import Diagnostics
internal import Foundation
internal import ICalendar
internal import Mapping
internal import Model
internal import Tabular
internal import XML

/// The mappings, in the order of their names, and some for what none of them uses; read once.
private let mappings: [MappingDefinition] = {
    let library = try? MappingLibrary.shipped()
    let shipped = library?.mappings.values.sorted { $0.name < $1.name } ?? []
    let sources = [
        "{kind: record}", "{kind: record, stream: s}", "{kind: csv, group_by: [n], group: staged}",
        "{kind: csv, detail: {file: d.csv, key: [n]}, encoding: [utf-8, windows-1252]}",
    ]
    let others = sources.compactMap { source in
        let place = source.contains("record") ? "path" : "col"
        let lines =
            source.contains("record") ? "{each: l, fields: {net: {path: n}}}" : "{fields: {net: {col: n}}}"
        return try? MappingDefinition.parse(
            """
            mapping: f
            version: 1
            target: invoice
            source: \(source)
            fields:
              kind: {const: invoice}
              number: {\(place): n, required: true}
              issue_date: {const: '2026-01-01'}
              currency: {const: EUR}
              gross_total: {\(place): n, required: true}
              lines: \(lines)
            """, file: "f.yaml")
    }
    precondition(others.count == sources.count)
    return shipped + others
}()

private let chooser: MappingChooser? = (try? MappingLibrary.shipped()).map { MappingChooser($0) }

/// libFuzzer's loop; the library's own `main` is not linked, since SwiftPM has one.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ input: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// Hands the command line to libFuzzer.
@main
struct Fuzz {
    static func main() {
        var count = CommandLine.argc
        var arguments = unsafe CommandLine.unsafeArgv
        _ = unsafe runDriver(&count, &arguments) { start, count in
            let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
            return tryInput(bytes)
        }
    }
}

/// One input of the fuzzer.
private func tryInput(_ bytes: [UInt8]) -> Int32 {
    guard let first = bytes.first else { return 0 }
    let input = Array(bytes.dropFirst())
    switch Int(first) {
    case 0..<8: _ = try? MappingDefinition.parse(String(decoding: input, as: UTF8.self), file: "f.yaml")
    case 8..<16: choose(input)
    case 16..<20: readObject(input)
    default: if !mappings.isEmpty { read(mappings[Int(first) % mappings.count], input) }
    }
    return 0
}

private func probe(_ bytes: [UInt8]) -> EncodingProbe {
    var probe = EncodingProbe()
    probe.feed(bytes)
    probe.finish()
    return probe
}

private func choose(_ bytes: [UInt8]) {
    let head = FileHead(name: "f", bytes: Array(bytes.prefix(FileHead.size)), probe: probe(bytes))
    _ = try? chooser?.choose(head)
    guard var inference = try? TableInference(head) else { return }
    try? inference.feed(bytes, isLast: true)
    _ = inference.draft(name: "f", target: nil, known: mappings) { key, _ in key }
}

/// Reads an iCalendar object or vCard, and does with it what a server does; its halves are merged.
private func readObject(_ bytes: [UInt8]) {
    guard let document = try? ContentDocument(parsing: bytes) else { return }
    precondition(ContentPatch(document).bytes == bytes, "an empty patch changed bytes")
    let half = (try? ContentDocument(parsing: Array(bytes.prefix(bytes.count / 2)))) ?? document
    _ = try? ContentDocument(parsing: ContentMerge(base: document, ours: half, theirs: document).bytes)
    _ = try? ContentDocument(parsing: ContentMerge(base: half, ours: document, theirs: half).bytes)
    for object in document.objects().prefix(20) {
        guard let document = try? ContentDocument(parsing: object) else { continue }
        if let calendar = try? CalendarObject(document) {
            let start = Timestamp(microsecondsSince1970: 1_767_225_600_000_000)
            let end = Timestamp(microsecondsSince1970: 1_798_761_600_000_000)
            _ = CalendarSeries(calendar, local: .gmt).occurrences(in: start..<end, limit: 200)
        }
        guard let contact = try? ContactObject(document) else { continue }
        _ = (Contact(contact).card, contact.bytes(in: .v3), contact.bytes(in: .v4))
    }
}

/// Reads in two pieces, so that borders are tried too.
private func read(_ definition: MappingDefinition, _ bytes: [UInt8]) {
    let middle = bytes.count / 2
    let (first, second) = (Array(bytes[..<middle]), Array(bytes[middle...]))
    let hasDetail = (try? definition.detailName(besides: "f")) ?? nil
    let opened = try? MappingReader(
        definition, probe: probe(hasDetail == nil ? bytes : first), fileName: "f",
        detail: hasDetail == nil ? nil : probe(second))
    guard var reader = opened else { return }
    var values = 0
    func look(_ item: inout MappedItem) { values += item.record.values.count + item.record.allRows.count }
    do {
        try reader.feed(first, look)
        if hasDetail == nil {
            try reader.feed(second, look)
        } else {
            try reader.finishFirst()
            try reader.feedDetail(second)
            try reader.feedDetail([], isLast: true)
        }
        try reader.finish(look)
    } catch {
        precondition(error is any ReportableError, "an error without a code: \(error)")
    }
}
