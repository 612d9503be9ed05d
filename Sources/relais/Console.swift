// SPDX-License-Identifier: Apache-2.0
// Writing to the terminal: texts, tables, JSON lines, errors with their hints, progress.

internal import Diagnostics
internal import Foundation
internal import Hub
internal import Words

/// Standard output and standard error.
enum Console {
    /// A line on standard output.
    static func print(_ text: String) {
        write(Data((text + "\n").utf8))
    }

    /// A line on standard error.
    static func warn(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// One JSON value on a line of standard output, keys in order.
    static func printJSON(_ value: JSONValue) {
        print(value.text)
    }

    /// Says what went wrong: position, message, hint.
    static func report(_ diagnostics: [Diagnostic], asJSON: Bool) {
        for diagnostic in diagnostics {
            if asJSON {
                printJSON(["error": JSONValue(diagnostic)])
            } else {
                warn(text(of: diagnostic))
            }
        }
    }

    /// `fichier:3:14: message (CODE)` and the hint on the next line.
    static func text(of diagnostic: Diagnostic, indent: String = "") -> String {
        let position = diagnostic.place.position
        let field = diagnostic.place.field.map { " \($0) :" } ?? ""
        let message = words.message(diagnostic)
        // Some sentences name the value themselves.
        let value = diagnostic.place.value.map { message.contains("« \($0) »") ? "" : " « \($0) »" } ?? ""
        let head = indent + (position.isEmpty ? String(field.dropFirst()) : position + ":" + field)
        let line =
            (head.isEmpty ? "" : head + " ") + message + value + " [\(diagnostic.code)]"
        return words.hint(diagnostic).map { "\(line)\n\(indent)  → \($0)" } ?? line
    }

    /// Writes to standard output; where that takes no more, the command ends with the reason.
    static func write(_ data: Data) {
        do {
            try FileHandle.standardOutput.write(contentsOf: data)
        } catch {
            let finding = Diagnostic(code: "OUTPUT-UNWRITABLE", facts: SystemFault.facts(error))
            try? FileHandle.standardError.write(contentsOf: Data((text(of: finding) + "\n").utf8))
            exit(ExitStatus.failed.rawValue)
        }
    }

    /// A table with aligned columns; the header is underlined by its own spacing only.
    static func printTable(_ header: [String], _ rows: [[String]], rightAligned: Set<Int> = []) {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        for row in all {
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return rightAligned.contains(column) ? padding + cell : cell + padding
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            print(line)
        }
    }

    /// Replaces the last line of the terminal; nothing where nobody watches.
    static func progress(_ text: String) {
        guard Surroundings.hasTerminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }
}
