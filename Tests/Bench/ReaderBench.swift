// SPDX-License-Identifier: Apache-2.0
// Parse and map beside an empty libxml2 pass and beside DuckDB, per CPU second.

internal import CLibXML2
internal import FileTransfer
internal import Foundation
internal import Mapping
internal import Tabular
internal import Yams

/// Reads a file piece by piece, as the commands do.
func readAll(_ url: URL, _ body: ([UInt8]) throws -> Void) throws {
    let file = try LocalFile(url.path, limit: .max)
    var bytes: [UInt8] = []
    while true {
        try file.read(into: &bytes)
        if bytes.isEmpty { return }
        try body(bytes)
    }
}

func probe(_ url: URL) throws -> EncodingProbe {
    var probe = EncodingProbe()
    try readAll(url) { probe.feed($0) }
    probe.finish()
    return probe
}

/// CPU seconds of a mapping over a file, the pass over the bytes for hash and encoding apart.
private func mapCPU(_ file: URL, _ mapping: String) throws -> (cpu: Double, records: Int) {
    let definition = try MappingLibrary.shipped().mapping(mapping)
    let probe = try probe(file)
    var reader = try MappingReader(definition, probe: probe)
    var records = 0
    var faulty = 0
    func count(_ item: inout MappedItem) {
        records += 1
        faulty += item.isApplicable ? 0 : 1
    }
    let cpu = ownCPU()
    try readAll(file) { try reader.feed($0, count) }
    try reader.finish(count)
    precondition(faulty == 0, "the generated file has faults, so that the measure says nothing")
    return (ownCPU() - cpu, records)
}

/// The best of three, since these machines are shared.
private func best(_ body: () throws -> Double) rethrows -> Double {
    var values: [Double] = []
    for _ in 0..<3 { values.append(try body()) }
    return values.min() ?? 0
}

/// Invoices.
struct XMLBench {
    let data: BenchData

    func run() async throws {
        let relais = try best { try mapCPU(data.xml, "ubl-invoice").cpu }
        let empty = try best { try emptyPass() }
        let size = data.xmlBytes / 1_000_000
        Bench.report("XML, parse and map", size / relais, size / empty, "MB/CPU s", "libxml2, empty SAX pass")
    }

    /// libxml2's push parser with callbacks that do nothing.
    private func emptyPass() throws -> Double {
        var handler = unsafe xmlSAXHandler()
        unsafe handler.initialized = UInt32(XML_SAX2_MAGIC)
        unsafe handler.startElementNs = { _, _, _, _, _, _, _, _, _ in }
        unsafe handler.endElementNs = { _, _, _, _ in }
        unsafe handler.characters = { _, _, _ in }
        let cpu = ownCPU()
        let context = unsafe xmlCreatePushParserCtxt(&handler, nil, nil, 0, nil)
        try readAll(data.xml) { bytes in
            unsafe bytes.withUnsafeBytes { buffer in
                let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress
                _ = unsafe xmlParseChunk(context, start, Int32(buffer.count), 0)
            }
        }
        _ = unsafe xmlParseChunk(context, nil, 0, 1)
        unsafe xmlFreeParserCtxt(context)
        return ownCPU() - cpu
    }
}

/// Flat invoices.
struct CSVBench {
    let data: BenchData
    let python: String

    func run() async throws {
        let relais = try best { try mapCPU(data.csv, "factures-csv").cpu }
        let rows = try best { try rowsCPU() }
        let answer = try peer(python, ["-c", Self.script, data.csvInUTF8.path])
        let duckdb = Double(answer.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? .nan
        let size = data.csvBytes / 1_000_000
        Bench.report("CSV, read rows", size / rows, size / duckdb, "MB/CPU s", "DuckDB, typed")
        Bench.report("CSV, parse and map", size / relais, size / duckdb, "MB/CPU s", "DuckDB, typed")
    }

    /// DuckDB reads no Windows-1252, so it gets the copy in UTF-8; every column is typed and used.
    private static let script = """
        import duckdb, resource, sys
        c = duckdb.connect(); c.execute('set threads to 1')
        types = {n: 'VARCHAR' for n in 'NumFacture CodeClient RaisonSociale SIREN NumTVA Devise Statut'.split()}
        types |= {'DateFacture': 'DATE', 'DateEcheance': 'DATE'}
        types |= {n: 'DECIMAL(18,2)' for n in ('MontantHT', 'MontantTVA', 'MontantTTC')}
        order = ('NumFacture DateFacture DateEcheance CodeClient RaisonSociale SIREN NumTVA Devise MontantHT '
            'MontantTVA MontantTTC Statut').split()
        columns = {n: types[n] for n in order}
        uses = ', '.join('max(%s)' % n for n in order)
        q = ("select %s from read_csv(?, header=true, delim=';', quote='\\"', decimal_separator=',', "
            "dateformat='%%d/%%m/%%Y', auto_detect=false, columns=%s)" % (uses, columns))
        best = 1e9
        for _ in range(3):
            a = resource.getrusage(resource.RUSAGE_SELF); r = c.execute(q, [sys.argv[1]]).fetchall()
            b = resource.getrusage(resource.RUSAGE_SELF)
            assert r[0][0].startswith('FA-')
            best = min(best, b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime)
        print(best)
        """

    /// The reader alone: every row's fields are found, none is looked at.
    private func rowsCPU() throws -> Double {
        var reader = CSVReader(CSVDialect(delimiter: UInt8(ascii: ";")), encoding: .windows1252)
        var total = 0
        let cpu = ownCPU()
        func count(isLast: Bool) throws {
            while try reader.next(isLast: isLast) { total += reader.fieldCount }
        }
        try readAll(data.csv) { bytes in
            try reader.append(bytes)
            try count(isLast: false)
        }
        try count(isLast: true)
        return total > 0 ? ownCPU() - cpu : .nan
    }
}

/// Files of any size: the memory that the readers take for as many gigabytes as `RELAIS_BENCH_GB` says (1).
struct StreamBench {
    func run() throws {
        let gigabytes =
            ProcessInfo.processInfo.environment["RELAIS_BENCH_GB"].flatMap(Double.init) ?? 1
        print("stream                                   GB            MB at most    MB/CPU s")
        let kinds: [(String, String, (Int) -> String)] = [
            ("factures-csv", BenchData.columns, BenchData.row(_:)),
            ("ubl-invoice", BenchData.head, BenchData.invoice),
        ]
        for (mapping, head, record) in kinds {
            let batch = Array((0..<1000).map(record).joined().utf8)
            var probe = EncodingProbe()
            probe.feed(batch)
            probe.finish()
            var reader = try MappingReader(
                try MappingLibrary.shipped().mapping(mapping), probe: probe)
            var records = 0
            func count(_ item: inout MappedItem) { records += 1 }
            let cpu = ownCPU()
            try reader.feed(Array(head.utf8), count)
            var size = 0
            while Double(size) < gigabytes * 1e9 {
                try reader.feed(batch, count)
                size += batch.count
            }
            let speed = Double(size) / 1e6 / (ownCPU() - cpu)
            print(
                mapping.padding(toLength: 41, withPad: " ", startingAt: 0)
                    + [Double(size) / 1e9, residentMemory(), speed].map {
                        String(format: "%.1f", $0).padding(toLength: 14, withPad: " ", startingAt: 0)
                    }.joined())
        }
    }

    /// Megabytes of memory that this process has now.
    private func residentMemory() -> Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return (line.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? .nan) / 1000
    }
}

/// Mapping files: reading and checking beside reading their YAML alone.
struct MappingBench {
    func run() throws {
        let library = try MappingLibrary.shipped()
        let texts = try library.mappings.keys.compactMap { library.files[$0] }.map {
            try String(contentsOf: $0, encoding: .utf8)
        }
        let rounds = 20
        func files(_ body: (String) throws -> Void) rethrows -> Double {
            let cpu = ownCPU()
            for _ in 0..<rounds { for text in texts { try body(text) } }
            return Double(rounds * texts.count) / (ownCPU() - cpu)
        }
        let check = try best { 1 / (try files { _ = try MappingDefinition.parse($0, file: "m.yaml") }) }
        let yaml = try best { 1 / (try files { _ = try Yams.compose(yaml: $0) }) }
        Bench.report("mapping check", 1 / check, 1 / yaml, "files/CPU s", "Yams, the YAML alone")
    }
}
