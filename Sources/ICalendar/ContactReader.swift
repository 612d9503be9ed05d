// SPDX-License-Identifier: Apache-2.0
// Reads the properties of a vCard, and notes what is wrong with each.

internal import Diagnostics
internal import Model

/// A reader of one card.
struct ContactReader {
    private let card: Component
    private let version: ContactObject.Version
    /// Apple's labels by the groups that they are for.
    private let labels: [String: ContentLine]
    private var contact = Contact()

    init(_ card: Component, version: ContactObject.Version) {
        self.card = card
        self.version = version
        labels = Dictionary(
            card.properties("X-ABLABEL").compactMap { line in line.group.map { ($0, line) } },
            uniquingKeysWith: { first, _ in first })
    }

    mutating func read() -> Contact {
        for line in card.properties { take(line) }
        return contact
    }

    private mutating func take(_ line: ContentLine) {
        switch line.name {
        case "UID": contact.uid = line.text.trimmingBlanks
        case "FN": contact.formattedName = contact.formattedName ?? text(line)
        case "N": contact.name = contact.name ?? name(line)
        case "NICKNAME": contact.nickname = contact.nickname ?? text(line)
        case "ORG":
            let parts = parts(line)
            if contact.organization.isEmpty { contact.organization = parts.filter { !$0.isEmpty } }
        case "TITLE": contact.title = contact.title ?? text(line)
        case "ROLE": contact.role = contact.role ?? text(line)
        case "TEL": channel(line, "tel:").map { contact.phones.append($0) }
        case "EMAIL": channel(line, "mailto:").map { contact.mails.append($0) }
        case "URL": channel(line, "").map { contact.pages.append($0) }
        case "ADR": contact.addresses.append(address(line))
        case "NOTE": contact.note = contact.note ?? text(line)
        case "CATEGORIES": contact.categories += line.list.map(\.trimmingBlanks).filter { !$0.isEmpty }
        default: takeRest(line)
        }
    }

    private mutating func takeRest(_ line: ContentLine) {
        switch line.name {
        case "BDAY":
            contact.birthday = ContactBirthday.read(line)
            if contact.birthday == nil, !line.value.isEmpty { note(line) }
        case "PHOTO":
            guard contact.photo == nil, !line.value.isEmpty else { return }
            contact.photo = ContactPhoto.read(line)
            if contact.photo == nil { note(line) }
        case "REV": contact.revision = CalendarMoment(line.value, isDay: false)
        case "KIND", "X-ADDRESSBOOKSERVER-KIND":
            contact.kind = .init(rawValue: line.text.trimmingBlanks.lowercased()) ?? .individual
        case "X-ABSHOWAS":
            if line.value.trimmingBlanks.uppercased() == "COMPANY" { contact.kind = .organization }
        case "MEMBER", "X-ADDRESSBOOKSERVER-MEMBER":
            contact.members.append(Self.without("urn:uuid:", line.text.trimmingBlanks))
        default: break
        }
    }

    // MARK: - Values

    private func text(_ line: ContentLine) -> String? {
        let text = line.text.trimmingBlanks
        return text.isEmpty ? nil : text
    }

    /// The parts of a structured value. Commas separate nothing in vCard 2.1.
    private func parts(_ line: ContentLine, joinedBy separator: String = " ") -> [String] {
        line.structure.map { part in
            (version == .v2 ? part.joined(separator: ",") : part.joined(separator: separator)).trimmingBlanks
        }
    }

    private func name(_ line: ContentLine) -> Contact.Name {
        let parts = parts(line) + Array(repeating: "", count: 5)
        return Contact.Name(
            family: parts[0], given: parts[1], additional: parts[2], prefix: parts[3], suffix: parts[4])
    }

    private func address(_ line: ContentLine) -> Contact.Address {
        let parts = parts(line, joinedBy: "\n") + Array(repeating: "", count: 7)
        let types = types(line)
        var address = Contact.Address()
        address.box = parts[0]
        address.extended = parts[1]
        address.street = parts[2]
        address.locality = parts[3]
        address.region = parts[4]
        address.code = parts[5]
        address.country = parts[6]
        address.types = types.filter { $0 != "pref" }
        address.isPreferred = isPreferred(line, types)
        return address
    }

    private func channel(_ line: ContentLine, _ scheme: String) -> Contact.Channel? {
        guard let text = text(line) else { return nil }
        let types = types(line)
        return Contact.Channel(
            Self.without(scheme, text), types: types.filter { $0 != "pref" && $0 != "internet" },
            isPreferred: isPreferred(line, types), label: label(line))
    }

    private func types(_ line: ContentLine) -> [String] {
        // Some write TYPE="home,work" in one pair of quotes.
        line.values(of: "TYPE").flatMap { $0.lowercased().split(separator: ",").map(String.init) }
    }

    private func isPreferred(_ line: ContentLine, _ types: [String]) -> Bool {
        types.contains("pref") || line["PREF"] == "1"
    }

    /// Apple writes labels in a property of the same group, its own ones as `_$!<HomePage>!$_`.
    private func label(_ line: ContentLine) -> String? {
        guard let label = line.group.flatMap({ labels[$0] }) else { return nil }
        return text(label).map { $0.replacing("_$!<", with: "").replacing(">!$_", with: "") }
    }

    static func without(_ scheme: String, _ text: String) -> String {
        text.lowercased().hasPrefix(scheme) ? String(text.dropFirst(scheme.count)) : text
    }

    private mutating func note(_ line: ContentLine) {
        guard contact.findings.count < ContentLimits.findings else { return }
        let place = Place(line: line.number, field: line.name, value: String(line.value.prefix(200)))
        contact.findings.append(ICalendarFinding.value.at(place))
    }
}

/// The forms of BDAY.
enum ContactBirthday {
    /// `1985-04-12`, `19850412`, `--0412`, each with or without a time; `1604-04-12` of Apple means no year.
    ///
    /// - Source: RFC 6350, 4.3.1; RFC 2426, 3.1.5.
    static func read(_ line: ContentLine) -> Contact.Birthday? {
        let value = line.value.trimmingBlanks.uppercased().split(separator: "T", maxSplits: 1).first ?? ""
        if value.hasPrefix("--") {
            let digits = value.filter { $0 != "-" }
            // A year of 366 days takes every day.
            guard digits.count == 4, let day = CalendarDate(iCalendar: "2000" + digits) else { return nil }
            return Contact.Birthday(year: nil, month: day.parts.month, day: day.parts.day)
        }
        guard let parts = CalendarDate(iCalendar: value)?.parts else { return nil }
        let isOmitted = line["X-APPLE-OMIT-YEAR"] == String(parts.year) || parts.year == 1604
        return Contact.Birthday(year: isOmitted ? nil : parts.year, month: parts.month, day: parts.day)
    }
}

/// The forms of PHOTO.
enum ContactPhoto {
    /// Base64 in 2.1 and 3.0, a `data:` address in 4.0 (and by some in 3.0), or another address.
    ///
    /// - Source: RFC 2426, 3.1.4; RFC 6350, 6.2.4; RFC 2397.
    static func read(_ line: ContentLine) -> Contact.Photo? {
        if line.isBase64 {
            guard let bytes = line.binary, !bytes.isEmpty else { return nil }
            return .bytes(bytes, mediaType: mediaType(line["TYPE"] ?? line["MEDIATYPE"]))
        }
        let text = line.text.trimmingBlanks
        guard text.lowercased().hasPrefix("data:") else { return .address(text) }
        // The comma may be escaped, which is resolved by now.
        let parts = text.dropFirst(5).split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased().hasSuffix(";base64"),
            let bytes = Base64.decode(String(parts[1])), !bytes.isEmpty
        else { return nil }
        return .bytes(bytes, mediaType: mediaType(String(parts[0].dropLast(7))))
    }

    /// `JPEG` and `image/jpeg` alike.
    private static func mediaType(_ type: String?) -> String? {
        guard let type = type?.lowercased(), !type.isEmpty else { return nil }
        return type.contains("/") ? type : "image/\(type)"
    }
}
