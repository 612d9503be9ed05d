// SPDX-License-Identifier: Apache-2.0
// Files of another machine as a connector's items: what is delivered, what is put away, what is remembered.

import ConnectorKit
import Diagnostics
import FileSources
import FileTransfer
import Foundation
import RelaisTesting
import Testing

@Suite struct RemoteFilesTests {
    private func settings(_ server: SSHServer, _ more: [String: [String]] = [:]) -> Settings {
        var settings = Settings([
            "from": [server.address], "host_keys": [server.fingerprint], "stillness": ["0"],
        ])
        settings.values.merge(more) { $1 }
        settings.secrets["private_key"] = Secret(name: "key", value: server.privateKey)
        return settings
    }

    private func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func `files that stay are read once, and again when they have changed; a problem is told once`()
        async throws
    {
        let server = try await SSHServer()
        try Data("one".utf8).write(to: server.files.appending(path: "a.csv"))
        try FileManager.default.createSymbolicLink(
            atPath: server.files.appending(path: "l.csv").path, withDestinationPath: "/etc/passwd")
        let first = try await Delivered.read(settings(server))
        #expect(first.files == ["a.csv=one"])
        #expect(first.problems == ["FILE-LINK"])
        let second = try await Delivered.read(settings(server), after: first.cursor)
        #expect(second.files == [] && second.problems == [])
        #expect(second.cursor == first.cursor)
        try Data("other".utf8).write(to: server.files.appending(path: "a.csv"))
        let third = try await Delivered.read(settings(server), after: second.cursor)
        #expect(third.files == ["a.csv=other"])
    }

    @Test func `what was applied is moved or deleted, what was refused is put aside`() async throws {
        let server = try await SSHServer()
        for name in ["a.csv", "b.csv"] { try Data(name.utf8).write(to: server.files.appending(path: name)) }
        let moved = try await Delivered.read(settings(server, ["after": ["move"]]), refusing: ["b.csv"])
        #expect(moved.files.count == 2)
        #expect(try names(server.files) == ["done", "quarantine"])
        #expect(try names(server.files.appending(path: "done")) == ["a.csv"])
        #expect(try names(server.files.appending(path: "quarantine")) == ["b.csv"])
        try Data("c".utf8).write(to: server.files.appending(path: "c.csv"))
        _ = try await Delivered.read(settings(server, ["after": ["delete"]]))
        #expect(try names(server.files) == ["done", "quarantine"])
    }

    @Test func `nothing is moved when the delivery fails, and the file comes again`() async throws {
        let server = try await SSHServer()
        try Data("a".utf8).write(to: server.files.appending(path: "a.csv"))
        let settings = settings(server, ["after": ["move"]])
        struct Failure: Error {}
        await #expect(throws: Failure.self) {
            try await FileSources.open(settings).read(after: nil) { _ in throw Failure() }
        }
        #expect(try names(server.files) == ["a.csv"])
        #expect(try await Delivered.read(settings).files == ["a.csv=a"])
    }

    @Test func `a file that this machine cannot take stays where it is, and comes again`() async throws {
        let server = try await SSHServer()
        for name in ["a.zip", "b.csv"] { try Data("1".utf8).write(to: server.files.appending(path: name)) }
        let settings = settings(server, ["after": ["move"]])
        let error = await #expect(throws: TransferError.self) {
            _ = try await Delivered.read(settings, refusing: ["a.zip"], as: "ARCHIVE-NO-SPACE")
        }
        #expect(error?.diagnostic.retry == .after(.seconds(300)))
        #expect(try names(server.files) == ["a.zip", "b.csv"])
        #expect(try await Delivered.read(settings).files == ["a.zip=1", "b.csv=1"])
    }

    @Test func `a file that cannot be put away is told of, and not read again`() async throws {
        let server = try await SSHServer()
        try Data("a".utf8).write(to: server.files.appending(path: "a.csv"))
        // A file where the folder should be.
        try Data("x".utf8).write(to: server.files.appending(path: "done"))
        let settings = settings(server, ["after": ["move"], "pattern": ["*.csv"]])
        let first = try await Delivered.read(settings)
        #expect(first.files == ["a.csv=a"])
        #expect(first.problems == ["TRANSFER-REFUSED"])
        let second = try await Delivered.read(settings, after: first.cursor)
        #expect(second.files == [])
    }

    @Test func `a file that vanishes between two looks is told, put nowhere, and the others are read`()
        async throws
    {
        let server = try await SSHServer()
        for name in ["a.csv", "b.csv"] { try Data(name.utf8).write(to: server.files.appending(path: name)) }
        let settings = settings(server, ["after": ["move"]])
        var files: [String] = []
        var problems: [String] = []
        try await FileSources.open(settings).read(after: nil) { item in
            switch item {
            case .artifact(let name, _):
                files.append(name)
                try FileManager.default.removeItem(at: server.files.appending(path: "b.csv"))
            case .problem(let problem): problems.append(problem.code)
            case .cursor: break
            }
            return .accepted
        }
        #expect(files == ["a.csv"] && problems == ["TRANSFER-MISSING"])
        #expect(try names(server.files) == ["done"])
    }

    private func settings(_ server: FileServer) -> Settings {
        var settings = Settings([
            "from": ["davs://relais@127.0.0.1:\(server.peer.port)/files/"], "stillness": ["0"],
            "after": ["move"], "authorities": [server.certificate], "timeout": ["5"],
        ])
        settings.secrets["password"] = Secret(name: "p", value: FileServer.password)
        return settings
    }

    @Test func `files that may not be read are told once, left where they are, and the others are read`()
        async throws
    {
        let server = try await FileServer.web()
        for name in ["a.csv", "forbidden.csv", "locked.csv", "z.csv"] {
            try Data(name.utf8).write(to: server.files.appending(path: name))
        }
        let first = try await Delivered.read(settings(server))
        #expect(first.files == ["a.csv=a.csv", "z.csv=z.csv"])
        #expect(first.problems.sorted() == ["TRANSFER-ANSWER", "TRANSFER-FORBIDDEN"])
        #expect(try names(server.files) == ["done", "forbidden.csv", "locked.csv"])
        let second = try await Delivered.read(settings(server), after: first.cursor)
        #expect(second.files == [] && second.problems == [])
    }

    @Test func `a machine that is gone when the file is to be put away is tried again`() async throws {
        let server = try await FileServer.web()
        try Data("a".utf8).write(to: server.files.appending(path: "a.csv"))
        let settings = settings(server)
        let error = await #expect(throws: TransferError.self) {
            try await FileSources.open(settings).read(after: nil) { item in
                if case .artifact = item { try await server.peer.stop() }
                if case .cursor = item { Issue.record("nothing is remembered") }
                return .accepted
            }
        }
        #expect(error?.diagnostic.retry != .never)
    }

    @Test func `settings without a way to know the server or to be known are refused`() {
        var settings = Settings(["from": ["sftp://x@host/"]])
        #expect(FileSources.check(settings).map(\.code) == ["SETTING-HOST-KEY", "SETTING-MISSING"])
        settings = Settings(["from": ["https://host/x.csv"], "after": ["move"]])
        #expect(FileSources.check(settings).map(\.code) == ["SETTING-VALUE"])
    }
}
