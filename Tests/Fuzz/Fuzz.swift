// SPDX-License-Identifier: Apache-2.0
// libFuzzer's entry: the first byte says which reader the rest is for. Built by `make fuzz` only.

internal import Diagnostics
internal import Mapping
internal import Model
internal import Tabular
internal import XML

/// The mappings, in the order of their names; read once.
private let mappings: [MappingDefinition] = {
    let library = try? MappingLibrary.shipped()
    return library?.mappings.values.sorted { $0.name < $1.name } ?? []
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

/// Reads in two pieces, so that borders are tried too.
private func read(_ definition: MappingDefinition, _ bytes: [UInt8]) {
    guard var reader = try? MappingReader(definition, probe: probe(bytes), fileName: "f") else { return }
    var values = 0
    func look(_ item: inout MappedItem) { values += item.record.values.count + item.record.allRows.count }
    let middle = bytes.count / 2
    do {
        try reader.feed(Array(bytes[..<middle]), look)
        try reader.feed(Array(bytes[middle...]), look)
        try reader.finish(look)
    } catch {
        precondition(error is any ReportableError, "an error without a code: \(error)")
    }
}
