// SPDX-License-Identifier: Apache-2.0
// What hostile files cost until they are refused: processor time and memory, each in a process of its own.

internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Glibc
internal import Mapping
internal import Tabular
internal import Unpacking

/// The attacks of the design's table and the bombs of archives, generated and thrown at the readers.
struct AttackBench {
    let folder: URL
    let python: String

    /// Makes the files; sizes are those of the design's table.
    private static let script = #"""
        import gzip, os, sys, zipfile, zlib
        os.chdir(sys.argv[1])
        ns = 'urn:oasis:names:specification:ubl:schema:xsd:Invoice-2'
        def write(name, *parts):
            with open(name, 'wb') as f:
                for p in parts: f.write(p.encode())
        def invoice(head, text): return '<?xml version="1.0"?>\n' + head + '<Invoice xmlns="%s">%s</Invoice>' % (ns, text)
        write('secret.txt', 'secret')
        write('xxe.xml', invoice('<!DOCTYPE Invoice [<!ENTITY x SYSTEM "secret.txt">]>', '&x;'))
        write('external-dtd.xml', invoice('<!DOCTYPE Invoice SYSTEM "http://127.0.0.1:9/x.dtd">', 'x'))
        laughs = ''.join('<!ENTITY a%d "%s">' % (n + 1, '&a%d;' % n * 10) for n in range(10))
        write('billion-laughs.xml', invoice('<!DOCTYPE Invoice [<!ENTITY a0 "ha">%s]>' % laughs, '&a10;'))
        write('quadratic.xml', invoice('<!DOCTYPE Invoice [<!ENTITY a "%s">]>' % ('x' * 100000), '&a;' * 20000))
        write('depth.xml', invoice('', '<a>' * 100000 + '</a>' * 100000))
        write('text-40-MB.xml', invoice('', '<ID>' + 'x' * (40 << 20) + '</ID>'))
        write('attribute-40-MB.xml', invoice('', '<ID a="' + 'x' * (40 << 20) + '"/>'))
        write('xinclude.xml', invoice('', '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="secret.txt"/>'))
        head = ('NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;Devise;MontantHT;MontantTVA;'
            'MontantTTC;Statut\n')
        write('open-quote.csv', head, '"', 'x;y\n' * (12 << 20))
        write('line-50-MB.csv', head, 'x;' * (25 << 20), '\n')
        write('field-50-MB.csv', head, 'x' * (50 << 20), '\n')
        write('columns-20000.csv', ';'.join('c%d' % n for n in range(20000)) + '\n')
        zeros = b'0' * (200 << 20)
        with gzip.open('bomb.gz', 'wb') as g: g.write(zeros)
        with zipfile.ZipFile('bomb.zip', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('a.xml', zeros)
        stream = zlib.compress(zeros)
        objects = [b'<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(factur-x.xml) 5 0 R] >> >> >>',
            b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>', b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>',
            b'<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream' % (len(stream), stream),
            b'<< /Type /Filespec /F (factur-x.xml) /UF (factur-x.xml) /EF << /F 4 0 R >> >>']
        out, places = b'%PDF-1.7\n', []
        for n, o in enumerate(objects):
            places.append(len(out)); out += b'%d 0 obj\n%s\nendobj\n' % (n + 1, o)
        table = b''.join(b'%010d 00000 n \n' % p for p in places)
        out += b'xref\n0 6\n0000000000 65535 f \n' + table + b'trailer << /Size 6 /Root 1 0 R >>\nstartxref\n'
        open('bomb.pdf', 'wb').write(out + b'%d\n%%%%EOF\n' % (len(out) - len(table) - 27))
        """#

    func run() throws {
        let attacks = folder.appending(path: "attacks")
        try FileManager.default.createDirectory(at: attacks, withIntermediateDirectories: true)
        _ = try peer(python, ["-c", Self.script, attacks.path])
        print("attack                                   ms of CPU     MB            what it became")
        let names = try FileManager.default.contentsOfDirectory(atPath: attacks.path).sorted()
        for name in names where name != "secret.txt" {
            let file = attacks.appending(path: name).path
            let answer = try peer(CommandLine.arguments[0], ["attack", file]).output
            let parts = answer.split(separator: " ", maxSplits: 2).map(String.init)
            guard parts.count == 3 else { throw BenchFailure(words: "\(name): \(answer)") }
            func column(_ text: String, _ width: Int) -> String {
                text.padding(toLength: width, withPad: " ", startingAt: 0)
            }
            print(column(name, 41) + column(parts[0], 14) + column(parts[1], 14) + parts[2], terminator: "")
        }
    }

    /// In the process of its own: reads one file as the product does, its bytes' encoding known (tables), and
    /// prints milliseconds, MB and the code of the refusal.
    static func attack(_ file: String) async throws {
        let library = try MappingLibrary.shipped()
        let isTable = file.hasSuffix(".csv")
        let definition = try library.mapping(isTable ? "factures-csv" : "ubl-invoice")
        let probe = try probe(URL(filePath: file))
        let memory = peakMemory()
        let cpu = ownCPU() + childrenCPU()
        var code = "accepted"
        do {
            if file.hasSuffix(".xml") || isTable {
                try read(file, definition, probe)
            } else {
                try await Unpacker().withFiles(of: file) { _ in }
            }
        } catch {
            code = (error as? any ReportableError)?.diagnostic.code ?? "\(error)"
        }
        let spent = (ownCPU() + childrenCPU() - cpu) * 1000
        print(String(format: "%.1f %.1f ", spent, (peakMemory() - memory) / 1000), terminator: "")
        print(code)
    }

    private static func read(_ file: String, _ definition: MappingDefinition, _ probe: EncodingProbe) throws {
        var reader = try MappingReader(definition, probe: probe)
        var findings: [Diagnostic] = []
        func look(_ item: inout MappedItem) { findings += item.findings }
        try readAll(URL(filePath: file)) { try reader.feed($0, look) }
        try reader.finish(look)
        if let finding = findings.first { throw finding }
    }

    /// The most memory that this process (or a child of it) ever had, in KB.
    private static func peakMemory() -> Double {
        var own = rusage()
        var children = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &own)
        unsafe getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &children)
        return Double(max(own.ru_maxrss, children.ru_maxrss))
    }
}

/// What keeps a measurement from being made.
struct BenchFailure: Error {
    let words: String
}
