// SPDX-License-Identifier: Apache-2.0
// What says that a file in a folder is whole: another file beside it, or its own end.

internal import Foundation

/// A file that a sender writes behind another one, to say that this is ready: `{name}.done`, `{stem}.ok`.
package struct ReadyMark: Sendable {
    private let pattern: String

    /// A mark by its pattern, in which `{name}` is the file's name and `{stem}` the same without its ending; nil for what
    /// could lead elsewhere, or name no mark of its own.
    package init?(_ pattern: String) {
        guard pattern.contains("{name}") || pattern.contains("{stem}"), !pattern.contains("/"),
            !["{name}", "{stem}"].contains(pattern)
        else { return nil }
        self.pattern = pattern
    }

    /// The name of a file's mark.
    func name(for file: String) -> String {
        let stem = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
        return pattern.replacing("{name}", with: file).replacing("{stem}", with: stem)
    }

    /// Whether a file has its mark; a mark is no file of its own.
    func isSet(for file: String, among names: Set<String>) -> Bool {
        let mark = name(for: file)
        return mark != file && names.contains(mark)
    }
}

/// How a file ends.
enum FileEnding {
    /// Whether a file ends as files of its kind do: a table with a line end, XML with a tag. Of other kinds, the end says
    /// nothing. One that cannot be read is another's business.
    static func isWhole(_ path: String) -> Bool {
        guard let file = try? LocalFile(path), let head = try? file.read(at: 0..<512),
            let tail = try? file.read(at: max(0, file.size - 512)..<file.size)
        else { return true }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let start = head.starts(with: mark) ? 3 : 0
        let first = head[start...].first { $0 > 32 }
        let isBinary =
            head.contains { $0 < 9 || (14..<32).contains($0) && $0 != 27 } || head.starts(with: "%PDF".utf8)
        guard let first, !isBinary else { return true }
        guard first == UInt8(ascii: "<") else {
            // Programs of DOS end a text with 0x1A.
            return tail.last == 0x0A || tail.last == 0x0D || tail.last == 0x1A
        }
        return tail.last { $0 > 32 } == UInt8(ascii: ">")
    }
}
