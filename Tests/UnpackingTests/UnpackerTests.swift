// SPDX-License-Identifier: Apache-2.0
// Files in files: what is taken out, and what is refused.

import Diagnostics
import Foundation
import RelaisTesting
import Testing
import Unpacking

@Suite struct UnpackerTests {
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    /// Runs a few lines of Python, which every bootstrap brings, to make an archive in a folder.
    private func python(_ lines: String, in folder: URL) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", lines]
        process.currentDirectoryURL = folder
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    /// Names and contents of what a file holds.
    private func contents(_ file: URL, limits: UnpackingLimits = UnpackingLimits()) async throws -> [String:
        String]
    {
        try await Unpacker(limits: limits).withFiles(of: file.path) { files in
            var found: [String: String] = [:]
            for part in files {
                let name = part.name.replacing(file.deletingLastPathComponent().path + "/", with: "")
                found[name] = try String(contentsOfFile: part.path, encoding: .utf8)
            }
            return found
        }
    }

    private func code(_ file: URL, limits: UnpackingLimits = UnpackingLimits()) async -> String? {
        do {
            _ = try await contents(file, limits: limits)
            return nil
        } catch {
            return (error as? any ReportableError)?.diagnostic.code
        }
    }

    @Test func `a plain file is itself, an archive is what it holds`() async throws {
        try await withFolder { folder in
            try python(
                """
                import zipfile, gzip
                open('a.csv','w').write('x')
                with zipfile.ZipFile('lot.zip','w',zipfile.ZIP_DEFLATED) as z:
                    z.writestr('dossier/un.csv','1'); z.writestr('../../etc/deux é.csv','2'); z.mkdir('vide')
                with gzip.open('b.csv.gz','wb') as g: g.write(b'y')
                """.replacing("; z.mkdir('vide')", with: ""), in: folder)
            #expect(try await contents(folder.appending(path: "a.csv")) == ["a.csv": "x"])
            #expect(
                try await contents(folder.appending(path: "lot.zip"))
                    == ["lot.zip/un.csv": "1", "lot.zip/deux é.csv": "2"])
            #expect(try await contents(folder.appending(path: "b.csv.gz")) == ["b.csv.gz/b.csv": "y"])
        }
    }

    @Test func `what was taken out is gone afterwards, also after a kill`() async throws {
        let temporary = FileManager.default.temporaryDirectory
        // No process has so high a number (Linux: 4,194,304 at most).
        let abandoned = temporary.appending(path: "relais-unpack-99999999-x")
        try FileManager.default.createDirectory(at: abandoned, withIntermediateDirectories: true)
        try await withFolder { folder in
            try python("import gzip; gzip.open('b.gz','wb').write(b'y')", in: folder)
            let place = try await Unpacker().withFiles(of: folder.appending(path: "b.gz").path) { files in
                let path = try #require(files.first).path
                #expect(FileManager.default.fileExists(atPath: path))
                return path
            }
            #expect(!FileManager.default.fileExists(atPath: place))
            #expect(!FileManager.default.fileExists(atPath: abandoned.path))
        }
    }

    @Test func `bombs, archives in archives and damage are refused`() async throws {
        try await withFolder { folder in
            try python(
                """
                import zipfile, gzip, io
                zeros = b'0' * (30 << 20)
                with gzip.open('bombe.gz','wb') as g: g.write(zeros)
                with zipfile.ZipFile('bombe.zip','w',zipfile.ZIP_DEFLATED) as z: z.writestr('a', zeros)
                honest = open('bombe.gz','rb').read()
                open('menteuse.gz','wb').write(honest[:-4] + (10).to_bytes(4, 'little'))
                open('double.gz','wb').write(honest + gzip.compress(b'petit'))
                with zipfile.ZipFile('foule.zip','w') as z:
                    for i in range(60): z.writestr('f%d' % i, 'x')
                inner = io.BytesIO()
                with zipfile.ZipFile(inner,'w') as z: z.writestr('a','x')
                with zipfile.ZipFile('poupee.zip','w') as z: z.writestr('dedans.zip', inner.getvalue())
                whole = open('foule.zip','rb').read()
                open('coupe.zip','wb').write(whole[:40])
                with zipfile.ZipFile('vide.zip','w') as z: pass
                open('faux.gz','wb').write(b'\\x1f\\x8b' + b'nothing')
                """, in: folder)
            #expect(await code(folder.appending(path: "bombe.gz")) == "ARCHIVE-BOMB")
            #expect(await code(folder.appending(path: "bombe.zip")) == "ARCHIVE-BOMB")
            // Sizes that lie are found while the file is read.
            for name in ["menteuse.gz", "double.gz"] {
                #expect(await code(folder.appending(path: name)) == "ARCHIVE-BOMB", "\(name)")
            }
            var limits = UnpackingLimits()
            limits.entries = 50
            #expect(await code(folder.appending(path: "foule.zip"), limits: limits) == "ARCHIVE-ENTRIES")
            #expect(await code(folder.appending(path: "poupee.zip")) == "ARCHIVE-NESTED")
            #expect(await code(folder.appending(path: "coupe.zip")) == "ARCHIVE-DAMAGED")
            #expect(await code(folder.appending(path: "vide.zip")) == "ARCHIVE-EMPTY")
            #expect(await code(folder.appending(path: "faux.gz")) == "ARCHIVE-DAMAGED")
        }
    }

    /// A PDF with these attachments, written by hand.
    private func pdf(_ attachments: [(name: String, text: String)]) -> Data {
        var objects = ["<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [NAMES] >> >> >>"]
        objects.append("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
        objects.append("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] >>")
        var names = ""
        for (name, text) in attachments {
            let stream = objects.count + 1
            objects.append(
                "<< /Type /EmbeddedFile /Length \(text.utf8.count) >>\nstream\n\(text)\nendstream")
            objects.append("<< /Type /Filespec /F (\(name)) /UF (\(name)) /EF << /F \(stream) 0 R >> >>")
            names += "(\(name)) \(stream + 1) 0 R "
        }
        objects[0] = objects[0].replacing("NAMES", with: names)
        var file = "%PDF-1.7\n"
        var offsets: [Int] = []
        for (index, object) in objects.enumerated() {
            offsets.append(file.utf8.count)
            file += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let table = file.utf8.count
        file += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for offset in offsets {
            file += String(repeating: "0", count: 10 - "\(offset)".count) + "\(offset) 00000 n \n"
        }
        file += "trailer << /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(table)\n%%EOF\n"
        return Data(file.utf8)
    }

    @Test func `the invoice attached to a PDF is taken out, other attachments are not`() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "facture.pdf")
            try pdf([("notes.txt", "non"), ("factur-x.xml", "<a/>"), ("autre.xml", "<b/>")]).write(to: file)
            #expect(try await contents(file) == ["facture.pdf/factur-x.xml": "<a/>"])
            try pdf([("notes.txt", "non")]).write(to: file)
            #expect(await code(file) == "PDF-NO-XML")
            try pdf((1...40).map { ("f\($0).xml", "<a/>") }).write(to: file)
            #expect(await code(file) == "PDF-ATTACHMENTS")
            try Data("%PDF-1.7\nrien de bon".utf8).write(to: file)
            #expect(await code(file) == "PDF-DAMAGED")
        }
    }

    @Test func `a PDF whose attachment grows without end is refused`() async throws {
        try await withFolder { folder in
            // The same PDF with its attachment compressed: 20 MB of it in 20 KB.
            try python(
                """
                import zlib
                stream = zlib.compress(b'0' * (20 << 20))
                objects = [
                    b'<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(factur-x.xml) 5 0 R] >> >> >>',
                    b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
                    b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>',
                    b'<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>\\nstream\\n%s\\nendstream'
                        % (len(stream), stream),
                    b'<< /Type /Filespec /F (factur-x.xml) /UF (factur-x.xml) /EF << /F 4 0 R >> >>']
                out, places = b'%PDF-1.7\\n', []
                for n, o in enumerate(objects):
                    places.append(len(out)); out += b'%d 0 obj\\n%s\\nendobj\\n' % (n + 1, o)
                at = len(out)
                out += b'xref\\n0 6\\n0000000000 65535 f \\n'
                for place in places: out += b'%010d 00000 n \\n' % place
                out += b'trailer << /Size 6 /Root 1 0 R >>\\nstartxref\\n%d\\n%%%%EOF\\n' % at
                open('bombe.pdf', 'wb').write(out)
                """, in: folder)
            let file = folder.appending(path: "bombe.pdf")
            var limits = UnpackingLimits()
            #expect(await code(file, limits: limits) == "PDF-BOMB", "a thousand times its size")
            limits.ratio = 2000
            limits.attachment = 8 << 20
            #expect(await code(file, limits: limits) == "PDF-BOMB", "beyond the limit of any attachment")
            limits.attachment = 32 << 20
            #expect(try await contents(file, limits: limits)["bombe.pdf/factur-x.xml"]?.count == 20 << 20)
        }
    }

    @Test func `damaged PDFs and archives never crash the unpacker`() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "abime.pdf")
            let bytes = Array(pdf([("factur-x.xml", "<a/>")]))
            var random = Seeded(2026)
            for _ in 0..<(ProcessInfo.processInfo.environment["RELAIS_SOAK"] == "1" ? 500 : 20) {
                var damaged = bytes
                for _ in 0..<8 {
                    damaged[Int.random(in: 5..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                try Data(damaged).write(to: file)
                _ = await code(file)
            }
        }
    }
}
