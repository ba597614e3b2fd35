"use strict";
exports.id = 274;
exports.ids = [274];
exports.modules = {

/***/ 274:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   writeOffersQuery: () => (/* binding */ writeOffersQuery)
/* harmony export */ });
/* harmony import */ var yaml__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8815);

/**
 * The body of POST /get_offers for one GPU type: YAML, as the API documents it. It takes one vendor and one region, so these go
 * only when single.
 */
function writeOffersQuery(wish, gpuType) {
    const [vendor, ...otherVendors] = wish.vendors;
    const [region, ...otherRegions] = wish.regions;
    return (0,yaml__WEBPACK_IMPORTED_MODULE_0__/* .stringify */ .As)({
        compute: {
            gpu_type: gpuType,
            gpu_count: wish.gpuCount,
            ...(wish.maxPricePerGpuHour === undefined ? {} : { max_price_per_gpu_hour: wish.maxPricePerGpuHour }),
            contract_type: wish.contractType,
        },
        ...(vendor !== undefined && otherVendors.length === 0 ? { vendor } : {}),
        ...(region !== undefined && otherRegions.length === 0 ? { region } : {}),
    });
}


/***/ })

};
;