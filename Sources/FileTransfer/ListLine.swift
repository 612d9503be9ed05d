// SPDX-License-Identifier: Apache-2.0
// A line of a listing, as SFTP and FTP servers write them for people.

/// What a line says of one entry.
struct ListLine: Hashable {
    /// What the entry is.
    enum Kind: Hashable {
        case file, folder, link, other
    }

    var kind: Kind
    var size: Int
    /// The time of the last change as the server wrote it, to the minute or to the day.
    var stamp: String
    var name: [UInt8]

    /// Reads a line; nil for one of no known form.
    ///
    /// - Source: `ls -l` of POSIX, with one or two owners; `DIR` of Windows servers.
    init?(_ line: [UInt8]) {
        guard let read = Self.unix(line) ?? Self.windows(line) else { return nil }
        self = read
    }

    private init(kind: Kind, size: Int, stamp: String, name: [UInt8]) {
        (self.kind, self.size, self.stamp, self.name) = (kind, size, stamp, name)
    }

    private static func unix(_ line: [UInt8]) -> ListLine? {
        guard let first = line.first, "-dlbcps".utf8.contains(first), line.count > 10 else { return nil }
        var columns = Columns(line)
        guard columns.next().utf8.count >= 10, Int(columns.next()) != nil else { return nil }
        // One owner or two, then the size: a number before the name of a month.
        var words = [columns.next(), columns.next()]
        while words.count < 4, !isMonth(columns.peek()) { words.append(columns.next()) }
        guard let size = Int(words[words.count - 1]) else { return nil }
        var stamp = [columns.next(), columns.next()]
        if stamp[0].count < 6 { stamp.append(columns.next()) }
        let kind: Kind =
            switch first {
            case UInt8(ascii: "-"): .file
            case UInt8(ascii: "d"): .folder
            case UInt8(ascii: "l"): .link
            default: .other
            }
        var name = columns.rest
        // Links are written with what they lead to.
        if kind == .link, let arrow = name.firstRange(of: Array(" -> ".utf8)) {
            name = Array(name[..<arrow.lowerBound])
        }
        guard !name.isEmpty else { return nil }
        return ListLine(kind: kind, size: size, stamp: stamp.joined(separator: " "), name: name)
    }

    /// `Jan`, or a day as `2026-11-24`.
    private static func isMonth(_ word: String) -> Bool {
        (word.count == 3 && word.allSatisfy(\.isLetter)) || (word.count == 10 && word.contains("-"))
    }

    private static func windows(_ line: [UInt8]) -> ListLine? {
        var columns = Columns(line)
        let (day, time, size) = (columns.next(), columns.next(), columns.next())
        guard day.wholeMatch(of: #/\d\d-\d\d-\d{2,4}/#) != nil, time.wholeMatch(of: #/\d\d:\d\d[AP]M/#) != nil
        else { return nil }
        let name = Array(columns.rest.drop { $0 == UInt8(ascii: " ") })
        guard !name.isEmpty, size == "<DIR>" || Int(size) != nil else { return nil }
        return ListLine(
            kind: size == "<DIR>" ? .folder : .file, size: Int(size) ?? 0, stamp: "\(day) \(time)", name: name
        )
    }
}

/// Words between blanks; one blank stands before the rest.
private struct Columns {
    private var bytes: ArraySlice<UInt8>

    init(_ line: [UInt8]) {
        bytes = line[...]
    }

    mutating func next() -> String {
        bytes = bytes.drop { $0 == UInt8(ascii: " ") }
        let word = bytes.prefix { $0 != UInt8(ascii: " ") }
        bytes = bytes.dropFirst(word.count)
        return String(decoding: word, as: UTF8.self)
    }

    func peek() -> String {
        var copy = self
        return copy.next()
    }

    var rest: [UInt8] { Array(bytes.dropFirst()) }
}
