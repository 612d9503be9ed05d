// SPDX-License-Identifier: Apache-2.0
// The short code lists of EN 16931 (BR-CL). Lists age, so what is not in one is told as a remark and nothing more.
//
// Sources: ISO 3166-1, ISO 4217 (with the currencies replaced since 2015, for older invoices), UNTDID 1001 and
// UNCL 5305 as the norm restricts them, with the document types of the French reform.

internal import Diagnostics
internal import Model

extension InvoiceUnderTest {
    /// Notes codes that their list does not have.
    mutating func checkCodeLists() {
        check(.typeCodeList, Self.types, record.cells[InvoiceSlots.typeCode], "type_code")
        check(.currencyList, Self.currencies, record.cells[InvoiceSlots.currency], "currency")
        check(.countryList, Self.countries, record.cells[InvoiceSlots.seller.country], "seller.country")
        check(.countryList, Self.countries, record.cells[InvoiceSlots.buyer.country], "buyer.country")
        for row in 0..<count(Self.taxes) {
            check(.taxCategoryList, Self.categories, cell(Self.taxes, row, Self.taxCategory), "taxes")
        }
        for row in 0..<count(Self.lines) {
            check(.lineCategoryList, Self.categories, cell(Self.lines, row, Self.lineCategory), "lines")
        }
    }

    private mutating func check(
        _ rule: Rule, _ list: CodeList, _ cell: Cell, _ field: String
    ) {
        guard case .text(let code) = cell, !list.contains(record.bytes.span.extracting(code.range)) else {
            return
        }
        note(rule, .info, field: field, ["value": record.string(code)])
    }

    /// Whether a VAT number begins with a country; Greece writes EL there.
    func isCountry(_ vat: TextRange) -> Bool {
        let prefix = record.bytes.span.extracting(vat.range.prefix(2))
        return Self.countries.contains(prefix)
            || prefix[0] == UInt8(ascii: "E") && prefix[1] == UInt8(ascii: "L")
    }

    private static let taxCategory = taxes["category"]
    private static let lineCategory = lines["category"]

    private static let categories = CodeList("AE B E G K L M O S Z")

    private static let types = CodeList(
        """
        71 80 81 82 83 84 102 130 202 203 204 211 218 219 261 262 295 296 308 325 326 331 380 381 382 \
        383 384 385 386 387 388 389 390 393 394 395 396 420 456 457 458 471 472 473 500 501 502 503 527 \
        532 553 575 623 633 751 780 817 870 875 876 877 935
        """)

    private static let currencies = CodeList(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP \
        BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB \
        EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD \
        JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU \
        MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD \
        RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY \
        TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD \
        XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL
        """)

    private static let countries = CodeList(
        """
        1A AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
        BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC \
        EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK \
        HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB \
        LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ \
        NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU \
        RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN \
        TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XI YE YT ZA ZM ZW
        """)
}

/// Codes of at most four ASCII characters, each as one number, in order: looking one up makes no text.
private struct CodeList {
    private let codes: [UInt32]

    init(_ words: String) {
        codes = words.split(separator: " ").map { Self.number(Array($0.utf8).span) }.sorted()
    }

    func contains(_ code: Span<UInt8>) -> Bool {
        guard code.count <= 4 else { return false }
        let wanted = Self.number(code)
        var (low, high) = (0, codes.count)
        while low < high {
            let middle = (low + high) / 2
            if codes[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < codes.count && codes[low] == wanted
    }

    private static func number(_ code: Span<UInt8>) -> UInt32 {
        code.indices.reduce(0) { $0 << 8 | UInt32(code[$1]) }
    }
}
