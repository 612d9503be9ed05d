// SPDX-License-Identifier: Apache-2.0
// A folder that others write into: slow writers, odd names, links, pipes, thousands of files.

import Diagnostics
import FileTransfer
import Foundation
import Glibc
import RelaisTesting
import Testing

@Suite struct HotFolderTests {
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private func write(_ name: String, in folder: URL, age: TimeInterval = 60) throws {
        let file = folder.appending(path: name)
        try Data("x\n".utf8).write(to: file)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: file.path)
    }

    @Test func `a file that is still being written is not ready`() async throws {
        try await withFolder { folder in
            try write("old.csv", in: folder)
            let slow = folder.appending(path: "slow.csv")
            try Data("a\n".utf8).write(to: slow)
            let listing = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        let handle = try FileHandle(forWritingTo: slow)
                        try handle.seekToEnd()
                        try handle.write(contentsOf: Data("b\n".utf8))
                        try handle.close()
                        try? await Task.sleep(for: .milliseconds(400))
                    }
                }
                let listing = try await HotFolder(folder.path, stillness: .seconds(5)).list()
                group.cancelAll()
                return listing
            }
            #expect(listing.ready.map(\.name) == ["old.csv"])
        }
    }

    @Test func `a file that somebody has locked, or that is younger than it must be, is not ready`()
        async throws
    {
        try await withFolder { folder in
            try write("old.csv", in: folder)
            try write("locked.csv", in: folder)
            try write("young.csv", in: folder, age: -3600)
            let descriptor = unsafe open(folder.appending(path: "locked.csv").path, O_RDONLY)
            defer { close(descriptor) }
            #expect(flock(descriptor, LOCK_EX) == 0)
            let listing = try await HotFolder(folder.path, stillness: .zero).list()
            #expect(listing.ready.map(\.name) == ["old.csv"])
        }
    }

    @Test func `a file that ends in the middle waits for a minute, and no longer`() async throws {
        try await withFolder { folder in
            // By a clock of its own: loaded machines take seconds for anything.
            let written = Date(timeIntervalSince1970: 1_800_000_000)
            func hot(at age: TimeInterval) -> HotFolder {
                HotFolder(folder.path, stillness: .zero, now: { written + age })
            }
            let texts = [
                "cut.csv": "a;b\n1;2", "cut.xml": "\u{FEFF}<?xml version=\"1.0\"?><a><b",
                "whole.csv": "a;b\r\n",
                "whole.xml": "<a/>\n\n", "dos.txt": "a\u{1A}", "letter.pdf": "%PDF-1.7 x",
                "archive.bin": "a\u{0}b",
            ]
            for (name, text) in texts {
                let file = folder.appending(path: name)
                try Data(text.utf8).write(to: file)
                try FileManager.default.setAttributes(
                    [.modificationDate: written], ofItemAtPath: file.path)
            }
            let listing = try await hot(at: 59.5).list()
            #expect(
                listing.ready.map(\.name) == [
                    "archive.bin", "dos.txt", "letter.pdf", "whole.csv", "whole.xml",
                ])
            #expect(listing.unfinished.map(\.name) == ["cut.csv", "cut.xml"])
            // One of them goes on being written.
            try Data("a;b\n1;2;3".utf8).write(to: folder.appending(path: "cut.csv"))
            #expect(try await hot(at: 59.5).wait(for: listing.unfinished).map(\.name) == ["cut.xml"])
            #expect(try await hot(at: 61).list().unfinished == [])
        }
    }

    @Test(arguments: [("{name}.done", "a.csv.done"), ("{stem}.ok", "a.ok")])
    func `where a mark says that a file is ready, nothing else does`(_ pattern: String, _ mark: String)
        async throws
    {
        try await withFolder { folder in
            try write("a.csv", in: folder)
            try write("b.csv", in: folder)
            let hot = HotFolder(
                folder.path, pattern: "*.csv", stillness: .seconds(60), mark: ReadyMark(pattern)
            )
            #expect(try await hot.list().ready == [])
            try write(mark, in: folder, age: -5)
            let ready = try await hot.list().ready
            #expect(ready.map(\.name) == ["a.csv"])
            let file = try #require(ready.first)
            let claim = try #require(try hot.claim(file))
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: mark).path))
            // The next file of that name comes, with its own mark, while this one is read.
            try write("a.csv", in: folder)
            try write(mark, in: folder)
            try hot.keep(claim)
            #expect(try await hot.list().ready.map(\.name) == ["a.csv"])
            let all = HotFolder(folder.path, stillness: .zero, mark: ReadyMark(pattern))
            try FileManager.default.removeItem(at: folder.appending(path: "a.csv"))
            #expect(try await all.list().ready == [])
        }
        for pattern in ["done", "{name}", "../{name}.done", "{stem}/x"] { #expect(ReadyMark(pattern) == nil) }
    }

    @Test func `links, pipes, odd names and files without permission are told and left alone`() async throws {
        try await withFolder { folder in
            try write("good.csv", in: folder)
            for name in [".hidden", "x.tmp", "x.PART", "~lock.csv", "two\nlines.csv", "linked.csv"] {
                try write(name, in: folder)
            }
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: "link.csv"), withDestinationURL: URL(filePath: "/etc/passwd"))
            let pipe = unsafe mkfifo(folder.appending(path: "pipe.csv").path, 0o600)
            #expect(pipe == 0)
            let hard = folder.appending(path: "linked.csv").path
            let linked = unsafe link(hard, folder.appending(path: "linked2.csv").path)
            #expect(linked == 0)
            let descriptor = unsafe open(folder.path + "/\u{1}bad", O_CREAT | O_WRONLY, 0o600)
            close(descriptor)
            let listing = try await HotFolder(folder.path, stillness: .zero).list()
            #expect(listing.ready.map(\.name) == ["good.csv"])
            let codes = Dictionary(
                listing.problems.map {
                    ($0.place.file?.split(separator: "/").last.map(String.init) ?? "", $0.code)
                }
            ) { $1 }
            #expect(codes["link.csv"] == "FILE-LINK" && codes["pipe.csv"] == "FILE-SPECIAL")
            #expect(codes["linked.csv"] == "FILE-LINK" && codes["linked2.csv"] == "FILE-LINK")
            #expect(listing.problems.filter { $0.code == "FILE-NAME" }.count == 2)
            #expect(listing.problems.count == 6)
            #expect(listing.problems.allSatisfy { $0.place.file?.contains("\n") != true })
        }
    }

    @Test func `a folder that is missing, no folder, or open to everybody is refused`() async throws {
        try await withFolder { folder in
            try write("file", in: folder)
            func code(_ path: String) async -> String? {
                do {
                    _ = try await HotFolder(path, stillness: .zero).list()
                    return nil
                } catch {
                    return (error as? FileError)?.diagnostic.code
                }
            }
            #expect(await code(folder.path + "/none") == "FILE-MISSING")
            #expect(await code(folder.path + "/file") == "FOLDER-EXPECTED")
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
            #expect(await code(folder.path) == "FOLDER-OPEN")
        }
    }

    @Test func `ten thousand files at once are all ready, and of two claims one has the file`() async throws {
        try await withFolder { folder in
            for number in 0..<10_000 { try write("f\(number).csv", in: folder) }
            let hot = HotFolder(folder.path, pattern: "F*.CSV", stillness: .zero)
            let ready = try await hot.list().ready
            #expect(ready.count == 10_000)
            let claim = try #require(try hot.claim(ready[0]))
            #expect(try hot.claim(ready[0]) == nil)
            #expect(hot.leftovers().map(\.name) == [ready[0].name])
            try hot.keep(claim)
            // The same name on the same day does not take its place.
            try write(ready[0].name, in: folder)
            let second = try #require(try await hot.list().ready.first)
            try hot.keep(try #require(try hot.claim(second)))
            let day = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/done")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path + "/done/\(day[0])").count
                    == 2)
        }
    }
}
