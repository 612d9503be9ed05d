// SPDX-License-Identifier: Apache-2.0
// A connector that is a program keeps the promises of every connector, and the host bears with one that does not.

import ConnectorKit
import ConnectorTesting
import Diagnostics
import Foundation
import ProgramConnector
import Programs
import Testing

@Suite struct ConformanceTests {
    private let folder = #filePath.replacing("Tests/ConformanceTests.swift", with: "Samples/shell")

    private func settings(_ more: [String: [String]] = [:]) -> Settings {
        var settings = Settings(["folder": [folder], "count": ["5"]])
        settings.values.merge(more) { $1 }
        return settings
    }

    /// Reads all: texts of artifacts, cursors, codes of problems, and the error at the end.
    private func read(
        _ settings: Settings, after cursor: Cursor? = nil
    ) async -> (texts: [String], cursors: [String], problems: [String], error: Diagnostic?) {
        var (texts, cursors, problems): ([String], [String], [String]) = ([], [], [])
        do {
            try await ProgramConnector(settings).read("files", after: cursor) { item in
                switch item {
                case .artifact(_, let path): texts.append(try String(contentsOfFile: path, encoding: .utf8))
                case .cursor(let cursor): cursors.append(cursor.text)
                case .problem(let problem): problems.append(problem.code)
                }
                return .accepted
            }
        } catch {
            return (texts, cursors, problems, (error as? any ReportableError)?.diagnostic)
        }
        return (texts, cursors, problems, nil)
    }

    @Test(arguments: ["1", "16777216"])
    func `the connector conforms, wherever its messages are cut`(_ part: String) async throws {
        var settings = settings(["part": [part]])
        settings.secrets["password"] = Secret(name: "p", value: "geheim")
        try await Conformance.check(
            ProgramConnector.self, settings: settings,
            broken: [
                Settings([:]), Settings(["folder": ["x"]]), Settings(["folder": [folder]]),
                Settings(["folder": ["/no/such/folder"], "count": ["1"]]),
                self.settings(["patience": ["0"]]), self.settings(["part": ["x"]]),
                self.settings(["password": ["in the open"]]),
            ], secrets: ["geheim"])
    }

    @Test(arguments: [
        (#"echo '{"type":"ARTIFACT","path":"f","name":"'$$'.csv"}'"#, "twice "),
        (#"echo '{"type":"ARTIFACT","path":"f","name":"geheim.csv"}'"#, "secrets artifact name"),
        (#"echo '{"type":"PROBLEM","message":"not with geheim"}'"#, "secrets problem"),
        (#"echo '{"type":"STATE","value":"geheim"}'"#, "secrets cursor"),
        (#"echo '{"type":"STATE","value":1}'; echo login geheim >&2"#, "secrets stderr"),
    ])
    func `names that change and secrets anywhere break a promise`(
        _ lines: String, _ promise: String
    ) async throws {
        let script = #"""
            read -r request
            spool=$(printf '%s' "$request" | sed 's/.*"spool":"\([^"]*\)".*/\1/')
            case $request in *'"verb":"discover"'*) echo '{"type":"STREAM","stream":"s"}'; exit ;; esac
            case $request in *'"state"'*) exit ;; esac
            echo x > "$spool/f"

            """#
        let fault = try await withProgram(script + lines) { settings in
            await #expect(throws: ConformanceFault.self) {
                try await Conformance.check(
                    ProgramConnector.self, settings: settings, broken: [], secrets: ["geheim"])
            }
        }
        #expect(fault.map { "\($0.promise) \($0.detail)" } == promise)
    }

    @Test func `records, files and problems come in their order, each state behind what it covers`() async {
        let all = await read(settings())
        #expect(all.error == nil && all.problems == ["PROGRAM-PROBLEM"] && all.cursors == ["4", "5"])
        #expect(all.texts.count == 3 && all.texts[0].contains(#""solde":4.10"#))
        #expect(all.texts[1].contains("C5") && all.texts[2] == "code;name\n")
        let rest = await read(settings(["count": ["6"]]), after: Cursor("5"))
        #expect(!rest.texts[0].contains("C5") && rest.texts[0].contains("C6") && rest.cursors == ["6", "6"])
    }

    @Test func `of a program that dies, what its last state covers counts`() async {
        let read = await read(settings(["fail": ["3"]]))
        #expect(read.error?.code == "PROGRAM-FAILED" && read.cursors == ["2"])
        #expect(read.error?.facts["detail"] == "the service is gone")
        #expect(read.texts.count == 1 && read.texts[0].contains("C2") && !read.texts[0].contains("C3"))
    }

    @Test(arguments: [
        #"{"type":"ARTIFACT","path":"../secret"}"#, #"{"type":"ARTIFACT","path":".."}"#,
        #"{"type":"ARTIFACT"}"#, #"{"type":"ARTIFACT","path":5}"#, #"{"type":"ARTIFACT","path":".x"}"#,
        #"{"type":"ARTIFACT","path":"x","name":""}"#, #"{"type":"ARTIFACT","path":"x","name":"a/b.csv"}"#,
        #"{"type":"ARTIFACT","path":"x","name":".."}"#,
        #"{"type":"ARTIFACT","path":"x","name":"a\u001b[2J.csv"}"#,
    ])
    func `a message that is none, or whose names lead elsewhere, ends the reading and is shown`(
        _ message: String
    ) async throws {
        let all = try await withProgram("read -r request\necho '\(message)'") { await read($0) }
        #expect(
            all.error?.code == "PROGRAM-MESSAGE" && all.error?.facts["detail"]?.contains("ARTIFACT") == true
        )
        #expect(all.texts == [] && all.cursors == [])
    }

    @Test(arguments: [#"{"type":"record","stream":"s","record":{}}"#, "debug", #"{"stream":"s"}"#, "[]"])
    func `no state moves past a line that nobody knows`(_ line: String) async throws {
        let all = try await withProgram("echo '\(line)'\necho '{\"type\":\"STATE\",\"value\":7}'") {
            await read($0)
        }
        #expect(all.error?.code == "PROGRAM-MESSAGE" && all.cursors == [] && all.texts == [])
        // The end of one that died is not its fault.
        let died = try await withProgram("echo '{\"type\":\"STATE\",\"value\":7}'\nprintf '{\"ty'\nexit 1") {
            await read($0)
        }
        #expect(died.error?.code == "PROGRAM-FAILED" && died.cursors == ["7"])
    }

    @Test func `what this machine cannot take ends the reading, and no state moves past it`() async {
        var cursors = 0
        let error = await #expect(throws: ProgramError.self) {
            try await ProgramConnector(settings()).read("files", after: nil) { item in
                if case .cursor = item { cursors += 1 }
                return .refused(Diagnostic(code: "ARCHIVE-NO-SPACE"))
            }
        }
        #expect(error?.diagnostic.retry == .after(.seconds(300)) && cursors == 0)
    }

    @Test func `no half of a secret shows where what a program says is cut`() async throws {
        // It stands where a message (200 characters) and last words (2,000 of them) are cut.
        for script in [
            "printf '%0195dgeheimnisvoll\\n' 0", "printf 'geheimnisvoll%01993d\\n' 0 >&2; exit 1",
        ] {
            let error = try await withProgram(script) { settings in
                var settings = settings
                settings.secrets["password"] = Secret(name: "p", value: "geheimnisvoll")
                return await read(settings).error
            }
            let detail = error?.facts["detail"] ?? ""
            #expect(detail.contains("000•••") || detail.contains("•••000"), "\(detail)")
            #expect(!detail.contains("gehe") && !detail.contains("voll"), "\(detail)")
        }
    }

    @Test func `when a program's patience is over, all that it has started ends`() async throws {
        try await withProgram("sleep 60 &\necho $! > \"$0.child\"\nwait") { settings in
            var settings = settings
            settings.values["patience"] = ["1"]
            #expect(await read(settings).error?.code == "PROGRAM-SLOW")
            let file = "\(settings["folder"][0])/connector.child"
            let child = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .newlines)
            func isRunning() -> Bool {
                let state = try? FileHandle(forReadingAtPath: "/proc/\(child)/stat")?.readToEnd()
                // Z: it has ended, and nobody has asked how.
                return state.map { !String(decoding: $0, as: UTF8.self).contains(") Z ") } ?? false
            }
            let deadline = ContinuousClock.now + .seconds(30)
            while isRunning(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
            #expect(!isRunning())
        }
    }

    @Test func `the request, with its secrets, lies in no file while the program runs`() async throws {
        let script = #"""
            read -r request
            spool=$(printf '%s' "$request" | sed 's/.*"spool":"\([^"]*\)".*/\1/')
            found=$(grep -rl geheim "$spool/.." | head -n 1)
            case $request in *geheim*) told=yes ;; esac
            echo '{"type":"RECORD","stream":"s","record":{"told":"'$told'","found":"'$found'"}}'
            """#
        let all = try await withProgram(script) { settings in
            var settings = settings
            settings.values["stream"] = ["geheim"]
            return await read(settings)
        }
        #expect(all.texts.first?.contains(#""told":"yes","found":"""#) == true, "\(all.texts)")
    }

    @Test func `a program may leave its request unread`() async throws {
        let all = try await withProgram(#"echo '{"type":"RECORD","stream":"s","record":{}}'"#) {
            await read($0)
        }
        #expect(all.error == nil && all.texts.count == 1)
    }

    @Test func `all that is wrong with a description is told with its place`() throws {
        try withFolder { folder in
            let text = """
                id: Mine
                comand: connector
                settings:
                  city: {type: number, help: {fr: "Ville"}}
                  folder: {help: {fr: "x", en: "x"}}
                """
            try Data(text.utf8).write(to: folder.appending(path: "connector.yaml"))
            let findings = ProgramConnector.check(Settings(["folder": [folder.path]]))
            #expect(
                findings.map { "\($0.code) \($0.place.line ?? 0)" } == [
                    "YAML-MISSING 1", "YAML-VALUE 1", "YAML-KEY 2", "YAML-VALUE 4", "YAML-MISSING 4",
                    "YAML-VALUE 5",
                ], "\(findings)")
            try Data("id: mine\ncommand: connector\n".utf8).write(
                to: folder.appending(path: "connector.yaml"))
            #expect(
                ProgramConnector.check(Settings(["folder": [folder.path]])).map(\.code) == ["PROGRAM-MISSING"]
            )
        }
    }

    private func withFolder<Value>(_ body: (URL) throws -> Value) rethrows -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    private func withProgram<Value>(
        _ script: String, _ body: (Settings) async throws -> Value
    ) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = folder.appending(path: "connector")
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        try Data("id: mine\ncommand: connector\n".utf8).write(to: folder.appending(path: "connector.yaml"))
        return try await body(Settings(["folder": [folder.path]]))
    }
}
