// SPDX-License-Identifier: Apache-2.0
// Files of a folder that this machine cannot take now: nothing is lost, and the next run goes on.

import ConnectorKit
import Diagnostics
import FileSources
import FileTransfer
import Foundation
import Glibc
import RelaisTesting
import Testing

@Suite struct ArrivingFilesTests {
    @Test(arguments: ["move", "keep"])
    func `a file that this machine cannot take is not refused, and comes again`(_ after: String) async throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("x\n".utf8).write(to: folder.appending(path: "a.zip"))
        let settings = Settings(["from": [folder.path], "stillness": ["0"], "after": [after]])
        let error = await #expect(throws: FileError.self) {
            _ = try await Delivered.read(settings, refusing: ["a.zip"], as: "ARCHIVE-NO-SPACE")
        }
        #expect(error?.diagnostic.retry == .after(.seconds(300)))
        #expect(try await Delivered.read(settings).files == ["a.zip=x\n"])
        #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "quarantine").path))
    }

    @Test(.enabled("only root can mount a small disk", { geteuid() == 0 }))
    func `a full disk under a hot folder loses no file, and is told`() async throws {
        try await SmallDisk.with(mebibytes: 1) { disk in
            let folder = disk.folder.appending(path: "in")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            for name in ["a.csv", "b.csv"] { try Data("x\n".utf8).write(to: folder.appending(path: name)) }
            // Whoever writes next finds the disk full.
            let filler = disk.folder.appending(path: "filler")
            _ = FileManager.default.createFile(atPath: filler.path, contents: nil)
            let handle = try FileHandle(forWritingTo: filler)
            while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
            try? handle.close()
            let settings = Settings(["from": [folder.path], "stillness": ["0"]])
            var delivered: [String] = []
            func read() async throws {
                try await FileSources.open(settings).read(after: nil) { item in
                    guard case .artifact(let name, let path) = item else { return .accepted }
                    let text = try String(contentsOfFile: path, encoding: .utf8)
                    #expect(text == "x\n")
                    delivered.append(name)
                    return .refused(Diagnostic(code: "CSV-RAGGED"))
                }
            }
            let error = await #expect(throws: FileError.self) { try await read() }
            #expect(error?.has(.unwritable) == true && error?.diagnostic.facts["errno"] == "28")
            let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            for name in ["a.csv", "b.csv"] { #expect(names.contains { $0.hasSuffix(name) }, "\(names)") }
            try FileManager.default.removeItem(at: filler)
            try await read()
            let after = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            #expect(Set(delivered) == ["a.csv", "b.csv"])
            for name in ["a.csv", "b.csv"] {
                #expect(after.contains("quarantine/\(name)"), "\(after)")
                #expect(after.contains("quarantine/\(name).report.json"), "\(after)")
            }
        }
    }
}
