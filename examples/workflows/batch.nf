// A run for every TIFF in the folder "images", several at a time:
//
//     nextflow run batch.nf --images 'images/*.tif' --recipe denoise
//
// -resume leaves alone what is whole; a broken image stops no other.

params.images = 'images/*.tif'
params.recipe = 'denoise'
params.results = 'results'

process RUN {
    cpus 2
    memory '2 GB'
    errorStrategy 'ignore'
    publishDir params.results, mode: 'copy'

    input:
    path image

    output:
    path "${image.simpleName}.ome.zarr"

    script:
    """
    napari-diffusion run ${image} ${image.simpleName}.ome.zarr --recipe ${params.recipe} \\
        --keep last --quiet --threads ${task.cpus} --memory ${task.memory.toMega()}MiB
    """
}

workflow {
    RUN(channel.fromPath(params.images))
}
